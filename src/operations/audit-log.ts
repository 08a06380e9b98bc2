import { writeSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno } from '../base/errors.ts'
import { KeyedMutex } from '../base/keyed-mutex.ts'
import { isTurnOver, nextTurn } from '../base/next-turn.ts'
import { linesFromEnd } from '../state/lines-from-end.ts'
import type { ChangeEvent } from './change-event.ts'

/**
 * The audit log on disk, a JSON object on each line:
 *
 *     <directory>/audit.log     the latest changes
 *     <directory>/audit.log.1   those before, and so on to the oldest
 */
const FILE = 'audit.log'

export interface AuditLogOptions {
  /** How large one file grows before the next is begun. */
  readonly fileBytes?: number
  /** How many older files are kept. */
  readonly olderFiles?: number
}

/**
 * What was changed, when, by whom, and what came of it: lines are added, and none
 * is ever changed. The oldest files go as new ones are begun.
 *
 * A line is with the kernel when `append` settles, so that it outlives this process.
 */
export class AuditLog {
  readonly #directory: string
  readonly #fileBytes: number
  readonly #olderFiles: number
  readonly #turns = new KeyedMutex()
  #file: fs.FileHandle
  #size: number

  private constructor(
    directory: string,
    { file, size }: { readonly file: fs.FileHandle; readonly size: number },
    { fileBytes = 8 * 1024 * 1024, olderFiles = 4 }: AuditLogOptions,
  ) {
    this.#directory = directory
    this.#file = file
    this.#size = size
    this.#fileBytes = fileBytes
    this.#olderFiles = olderFiles
  }

  static async open(
    directory: string,
    options: AuditLogOptions = {},
  ): Promise<AuditLog> {
    await fs.mkdir(directory, { recursive: true, mode: 0o700 })
    return new AuditLog(
      directory,
      await openEnd(join(directory, FILE)),
      options,
    )
  }

  /** Adds one line, after those that were given before. */
  async append(event: ChangeEvent): Promise<void> {
    const line = `${JSON.stringify(event)}\n`
    if (this.#size < this.#fileBytes && !this.#turns.isBusy(FILE)) {
      this.#write(line)
      return
    }
    await this.#turns.run(FILE, async () => {
      if (this.#size >= this.#fileBytes) await this.#rotate()
      this.#write(line)
    })
  }

  /** The last `limit` changes, the oldest first. */
  async tail(limit: number): Promise<readonly ChangeEvent[]> {
    await this.#settled()
    const events: ChangeEvent[] = []
    for (let age = 0; age <= this.#olderFiles; age++) {
      for await (const event of eventsFromEnd(this.#path(age))) {
        if (events.push(event) === limit) return events.toReversed()
        if (isTurnOver()) await nextTurn()
      }
    }
    return events.toReversed()
  }

  async close(): Promise<void> {
    await this.#settled()
    await this.#file.close()
  }

  /** Settles when what was given before is written. */
  async #settled(): Promise<void> {
    await this.#turns.run(FILE, async () => undefined)
  }

  /** Some bytes for the page cache: to hand them to a thread takes far longer. */
  #write(line: string): void {
    this.#size += writeSync(this.#file.fd, line)
  }

  async #rotate(): Promise<void> {
    for (let age = this.#olderFiles; age > 0; age--) {
      await renameIfThere(this.#path(age - 1), this.#path(age))
    }
    const { file, size } = await openEnd(this.#path(0))
    await this.#file.close()
    this.#file = file
    this.#size = size
  }

  #path(age: number): string {
    return join(this.#directory, age === 0 ? FILE : `${FILE}.${age}`)
  }
}

/** Opens a file for adding to. What a crash left of a line gets a line to itself. */
async function openEnd(
  path: string,
): Promise<{ readonly file: fs.FileHandle; readonly size: number }> {
  const file = await fs.open(path, 'a+', 0o600)
  const { size } = await file.stat()
  if (size === 0) return { file, size }
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1)
  if (buffer.toString() === '\n') return { file, size }
  await file.write('\n')
  return { file, size: size + 1 }
}

/** What the file has, the latest first. Of a line that a crash cut off, nothing. */
async function* eventsFromEnd(path: string): AsyncGenerator<ChangeEvent> {
  try {
    for await (const line of linesFromEnd(path)) {
      const event = parsed(line)
      if (event !== undefined) yield event
    }
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

function parsed(line: string): ChangeEvent | undefined {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await fs.rename(from, to)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}
