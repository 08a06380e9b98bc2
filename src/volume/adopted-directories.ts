import {
  InvalidArgumentError,
  messageOf,
  UnavailableError,
} from '../base/errors.ts'
import { isServerGone } from '../linux/may-hang.ts'
import { SideProcess } from '../base/side-process.ts'
import type { AdoptedCalls } from './adopted-host.ts'
import { VolumeUnavailableError } from './volume-errors.ts'
import type { VolumeOptions } from './volume-options.ts'
import type { VolumeUsage } from './volume-usage.ts'

/** Options that would change the directory, or have the files elsewhere. */
const EXCLUDED = ['capacity', 'from', 'uid', 'gid', 'mode'] as const

/**
 * Directories that volumes were made of (the option `path`) and that are somebody
 * else's. They are looked at, and neither changed nor deleted, ever.
 *
 * They may lie anywhere, also where nobody answers. So they are touched by a process
 * of its own, which starts with the first that is used; see `SideProcess`.
 */
export class AdoptedDirectories {
  readonly #store: string
  readonly #aside = new SideProcess<AdoptedCalls>({
    module: new URL('adopted-host.js', import.meta.url),
    what: 'An adopted directory',
    lengthy: ['usage'],
  })

  /** @param store The directory of the store that has the volumes. */
  constructor(store: string) {
    this.#store = store
  }

  /**
   * Finds out whether a volume can be made of it.
   *
   * @throws InvalidArgumentError when it cannot.
   */
  async check(path: string, options: VolumeOptions): Promise<void> {
    const excluded = EXCLUDED.find((name) => options[name] !== undefined)
    if (excluded !== undefined) {
      throw new InvalidArgumentError(
        `The options "path" and "${excluded}" exclude each other: an adopted directory stays as it is`,
      )
    }
    const real = await this.#ask(path, () => this.#aside.call('locate', path))
    if (!isWithin(real, this.#store) && !isWithin(this.#store, real)) return
    throw new InvalidArgumentError(
      `"${path}" cannot be adopted: it is in the store's own "${this.#store}", or around it`,
    )
  }

  /** Sees to it that it is there, and shows it read-only at `view` if that is given. */
  async show(path: string, view?: string): Promise<void> {
    await this.#ask(path, async () => {
      await this.#aside.call('locate', path)
      if (view !== undefined) await this.#aside.call('show', path, view)
    })
  }

  async usage(path: string): Promise<VolumeUsage> {
    return this.#ask(path, () => this.#aside.call('usage', path))
  }

  close(): void {
    this.#aside.abandon()
  }

  /** That one directory is out of reach says nothing about the store. */
  async #ask<T>(path: string, question: () => Promise<T>): Promise<T> {
    try {
      return await question()
    } catch (error) {
      if (!(error instanceof UnavailableError || isServerGone(error))) {
        throw error
      }
      const reason = isServerGone(error)
        ? `The filesystem of "${path}" is not served any more: mount it again`
        : messageOf(error)
      throw new VolumeUnavailableError(reason, { cause: error })
    }
  }
}

function isWithin(path: string, directory: string): boolean {
  return (
    path === directory || path.startsWith(`${directory.replace(/\/$/, '')}/`)
  )
}
