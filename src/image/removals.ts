import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { basename, join } from 'node:path'
import { messageOf } from '../base/errors.ts'
import { KeyedMutex } from '../base/keyed-mutex.ts'
import type { Log } from '../base/log.ts'
import type { Driver, LayerId } from '../graph/driver.ts'
import { syncDirectory } from '../state/atomic-file.ts'
import { namesIn } from '../state/listing.ts'
import { readRecord } from './image-record.ts'
import { IMAGE_RECORD, REMOVED, WRITABLE_RECORD } from './layout.ts'

/**
 * Things on their way out: renamed aside, which is the moment they are gone, and
 * then taken apart, the layers of the driver first. What a crash interrupts, the
 * next sweep finishes.
 */
export class Removals {
  readonly #directory: string
  readonly #driver: Driver
  readonly #log: Log
  readonly #turns = new KeyedMutex()

  constructor(root: string, driver: Driver, log: Log) {
    this.#directory = join(root, REMOVED)
    this.#driver = driver
    this.#log = log
  }

  /** After this nothing is at `path`; {@link sweep} frees what it took. */
  async take(path: string): Promise<void> {
    const aside = join(this.#directory, randomBytes(16).toString('hex'))
    await fs.rename(path, aside)
    await syncDirectory(join(path, '..'))
  }

  /** Frees all that was taken. What cannot be freed waits for the next sweep. */
  sweep(): Promise<void> {
    return this.#turns.run(this.#directory, () => this.#sweep())
  }

  async #sweep(): Promise<void> {
    for (const name of await namesIn(this.#directory)) {
      const path = join(this.#directory, name)
      try {
        for (const layer of await layersIn(path)) {
          await this.#driver.remove(layer)
        }
        await fs.rm(path, { recursive: true, force: true })
      } catch (error) {
        this.#log.warn('Removal put off', { path, reason: messageOf(error) })
      }
    }
  }
}

/** The layers that the records at and below `directory` name, leaves first. */
async function layersIn(directory: string): Promise<readonly LayerId[]> {
  const found: { layer: LayerId; depth: number }[] = []
  for (const name of await fs.readdir(directory, { recursive: true })) {
    if (![IMAGE_RECORD, WRITABLE_RECORD].includes(basename(name))) continue
    const { layer, depth } = await fieldsOf(join(directory, name))
    if (typeof layer !== 'string') continue
    found.push({ layer, depth: typeof depth === 'number' ? depth : Infinity })
  }
  return found.toSorted((a, b) => b.depth - a.depth).map(({ layer }) => layer)
}

/** A record that cannot be read keeps nobody from removing the others. */
async function fieldsOf(path: string): Promise<Record<string, unknown>> {
  try {
    return { ...(await readRecord(path, path)) }
  } catch {
    return {}
  }
}
