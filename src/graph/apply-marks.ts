import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidArgumentError, NotFoundError } from '../base/errors.ts'
import type { LayerId } from './driver.ts'

const APPLYING = 'applying'
const APPLIED = 'applied'

/**
 * Remembers which layers a layer tar was applied to, and how far that came.
 *
 *     <directory>/applying/<id>   the apply runs, has failed, or died half-way
 *     <directory>/applied/<id>    the apply has ended well
 *
 * A layer is applied to once. One whose apply did not end well shows neither what
 * it showed before nor what it should, so it is as good as absent.
 */
export class ApplyMarks {
  readonly #directory: string
  readonly #applying: Set<LayerId>
  readonly #applied: Set<LayerId>

  private constructor(
    directory: string,
    applying: readonly LayerId[],
    applied: readonly LayerId[],
  ) {
    this.#directory = directory
    this.#applying = new Set(applying)
    this.#applied = new Set(applied)
  }

  static async open(directory: string): Promise<ApplyMarks> {
    const [applying = [], applied = []] = await Promise.all(
      [APPLYING, APPLIED].map(async (name) => {
        const marks = join(directory, name)
        await fs.mkdir(marks, { recursive: true, mode: 0o700 })
        return fs.readdir(marks)
      }),
    )
    return new ApplyMarks(directory, applying, applied)
  }

  /** Whether the layer's one apply began and did not end well. */
  isUnfinished(id: LayerId): boolean {
    return this.#applying.has(id)
  }

  /** @throws NotFoundError for a layer whose apply did not end well. */
  check(id: LayerId): void {
    if (!this.#applying.has(id)) return
    throw new NotFoundError(
      `Layer "${id}" is incomplete, because its tar was not applied to the end: remove it`,
    )
  }

  /**
   * Runs the one apply of a layer between two marks.
   *
   * @throws InvalidArgumentError when the layer was applied to before.
   */
  async run<T>(id: LayerId, apply: () => Promise<T>): Promise<T> {
    if (this.#applied.has(id) || this.#applying.has(id)) {
      throw new InvalidArgumentError(
        `Layer "${id}" was applied to before: a layer takes one tar, once`,
      )
    }
    this.#applying.add(id)
    await fs.writeFile(this.#path(APPLYING, id), '', { mode: 0o600 })
    const result = await apply()
    await fs.rename(this.#path(APPLYING, id), this.#path(APPLIED, id))
    this.#applied.add(id)
    this.#applying.delete(id)
    return result
  }

  /** Forgets a layer that is no more. */
  async forget(id: LayerId): Promise<void> {
    const wasApplying = this.#applying.delete(id)
    const wasApplied = this.#applied.delete(id)
    if (wasApplying) await fs.rm(this.#path(APPLYING, id), { force: true })
    if (wasApplied) await fs.rm(this.#path(APPLIED, id), { force: true })
  }

  /** Forgets what a crash has left of layers that are no more. */
  async forgetUnless(exists: (id: LayerId) => Promise<boolean>): Promise<void> {
    for (const id of [...this.#applying, ...this.#applied]) {
      if (!(await exists(id))) await this.forget(id)
    }
  }

  #path(state: string, id: LayerId): string {
    return join(this.#directory, state, id)
  }
}
