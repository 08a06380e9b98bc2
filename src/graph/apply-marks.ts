import { renameSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidArgumentError, isErrno, NotFoundError } from '../base/errors.ts'
import { syncFilesystem } from '../linux/sync-filesystem.ts'
import { syncDirectory } from '../state/atomic-file.ts'
import { bootId } from '../state/boot-id.ts'
import { exists } from '../state/listing.ts'
import type { LayerId } from './driver.ts'

const APPLYING = 'applying'
const APPLIED = 'applied'
const FRESH_PREFIX = 'fresh-'

/** Milliseconds after an apply, in which others join it on its way to the disk. */
const SYNC_AFTER = 1000

/**
 * Remembers which layers a layer tar was applied to, and how far that came.
 *
 *     <directory>/applying/<id>       the apply runs, has failed, or died half-way
 *     <directory>/fresh-<boot>/<id>   it has ended well, though maybe not on disk
 *     <directory>/applied/<id>        it has, and is there also after a power cut
 *
 * A layer is applied to once. One whose apply did not end well shows neither what
 * it showed before nor what it should, so it is as good as absent. Nor does one that
 * was fresh when another boot ended: its files may be there and empty. Nobody who
 * pulls waits for the disk, so it is synced in the background soon after.
 */
export class ApplyMarks {
  readonly #directory: string
  readonly #fresh: string
  readonly #applying: Set<LayerId>
  readonly #applied: Set<LayerId>
  /** Those of the applied that may not be on disk yet. */
  readonly #unsynced: Set<LayerId>
  /** Whether the marks of applied layers may not be on disk yet. */
  #isMarking = false
  #timer: NodeJS.Timeout | undefined
  #settling = Promise.resolve()

  private constructor(
    directory: string,
    fresh: string,
    [applying, applied, unsynced]: readonly (readonly LayerId[])[],
  ) {
    this.#directory = directory
    this.#fresh = fresh
    this.#applying = new Set(applying)
    this.#applied = new Set([...(applied ?? []), ...(unsynced ?? [])])
    this.#unsynced = new Set(unsynced)
    if (this.#unsynced.size > 0) this.#settleSoon()
  }

  static async open(directory: string): Promise<ApplyMarks> {
    const fresh = FRESH_PREFIX + (await bootId())
    const states = [APPLYING, APPLIED, fresh]
    for (const state of states) {
      const path = join(directory, state)
      await fs.mkdir(path, { recursive: true, mode: 0o700 })
    }
    await condemnOthers(directory, fresh)
    const marks = await Promise.all(
      states.map((state) => fs.readdir(join(directory, state))),
    )
    return new ApplyMarks(directory, fresh, marks)
  }

  /** Whether the layer's one apply began and did not end well. */
  isUnfinished(id: LayerId): boolean {
    return this.#applying.has(id)
  }

  /** @throws NotFoundError for a layer whose apply did not end well. */
  check(id: LayerId): void {
    if (!this.#applying.has(id)) return
    throw new NotFoundError(
      `Layer "${id}" is incomplete, because its tar was not applied to the end, or the machine stopped before it was on disk: remove it`,
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
    // Made in one call, where a file would have to be closed as well.
    await fs.symlink('mark', this.#path(APPLYING, id))
    const result = await apply()
    // Here and now: waking a thread for it takes far longer.
    renameSync(this.#path(APPLYING, id), this.#path(this.#fresh, id))
    this.#unsynced.add(id)
    this.#applied.add(id)
    this.#applying.delete(id)
    this.#settleSoon()
    return result
  }

  /** Waits until every layer whose apply has ended well is on disk, and known to be. */
  async settle(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    // One after the other: what is under way may be marked, and its mark not on disk.
    const settling = this.#settling
      .catch(() => undefined)
      .then(() => this.#settle())
    this.#settling = settling
    await settling
  }

  async #settle(): Promise<void> {
    const ids = [...this.#unsynced]
    if (ids.length === 0 && !this.#isMarking) return
    try {
      await syncFilesystem(this.#directory)
    } catch (error) {
      // Somebody deleted it, with all that was to be kept.
      if (isErrno(error, 'ENOENT')) return
      throw error
    }
    for (const id of ids) {
      // In one go, so that none is forgotten in between.
      if (!this.#unsynced.has(id)) continue
      renameSync(this.#path(this.#fresh, id), this.#path(APPLIED, id))
      this.#unsynced.delete(id)
      this.#isMarking = true
    }
    await syncDirectory(join(this.#directory, APPLIED))
    this.#isMarking = false
  }

  /** Forgets a layer that is no more. */
  async forget(id: LayerId): Promise<void> {
    const wasApplying = this.#applying.delete(id)
    const wasApplied = this.#applied.delete(id)
    if (wasApplying) await fs.rm(this.#path(APPLYING, id), { force: true })
    if (!wasApplied) return
    const state = this.#unsynced.delete(id) ? this.#fresh : APPLIED
    await fs.rm(this.#path(state, id), { force: true })
  }

  /** Forgets what a crash has left of layers that are no more. */
  async forgetUnless(
    isThere: (id: LayerId) => Promise<boolean>,
  ): Promise<void> {
    for (const id of [...this.#applying, ...this.#applied]) {
      if (!(await isThere(id))) await this.forget(id)
    }
  }

  /** What cannot be synced is tried again. */
  #settleSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.settle().catch(() => this.#settleSoon())
    }, SYNC_AFTER).unref()
  }

  #path(state: string, id: LayerId): string {
    return join(this.#directory, state, id)
  }
}

/** Layers that were fresh when the power went are as good as not applied. */
async function condemnOthers(directory: string, fresh: string): Promise<void> {
  for (const state of await fs.readdir(directory)) {
    if (!state.startsWith(FRESH_PREFIX) || state === fresh) continue
    for (const id of await fs.readdir(join(directory, state))) {
      const mark = join(directory, state, id)
      // The old name of a mark that is on disk under its new one.
      if (await exists(join(directory, APPLIED, id))) await fs.rm(mark)
      else await fs.rename(mark, join(directory, APPLYING, id))
    }
    await fs.rmdir(join(directory, state))
  }
}
