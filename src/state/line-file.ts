import { constants, ftruncateSync, writeSync } from 'node:fs'
import * as fs from 'node:fs/promises'

export interface LineFileOptions {
  /**
   * How many bytes the file takes of the disk ahead of its lines, as zeros. A line
   * that goes there changes nothing but those bytes, so that to synchronise it
   * waits for one write; a file that grows waits for its filesystem's journal.
   */
  readonly ahead?: number
}

/**
 * A file that whole lines are added to, by one writer. A line is with the kernel
 * when `append` returns, so that it outlives this process.
 */
export class LineFile {
  readonly #path: string
  readonly #file: fs.FileHandle
  readonly #ahead: number
  /** Where the last whole line ends. */
  #end: number
  #size: number

  private constructor(
    path: string,
    file: fs.FileHandle,
    { end, size, ahead }: { end: number; size: number; ahead: number },
  ) {
    this.#path = path
    this.#file = file
    this.#end = end
    this.#size = size
    this.#ahead = ahead
  }

  /** Opens the file for adding to. A last line that was cut short is taken away. */
  static async open(
    path: string,
    { ahead = 0 }: LineFileOptions = {},
  ): Promise<LineFile> {
    const flags = constants.O_RDWR | constants.O_CREAT
    const file = await fs.open(path, flags, 0o600)
    const bytes = await file.readFile()
    const end = bytes.lastIndexOf('\n') + 1
    const isCut = bytes.subarray(end).some((byte) => byte !== 0)
    if (isCut) await file.truncate(end)
    const size = isCut ? end : bytes.length
    return new LineFile(path, file, { end, size, ahead })
  }

  /**
   * Some bytes for the page cache: to hand them to a thread takes far longer. What
   * is cut short is taken back, for it would spoil the next line.
   */
  append(line: string): void {
    const bytes = Buffer.from(`${line}\n`)
    if (this.#end + bytes.length > this.#size) this.#takeAhead()
    const { fd } = this.#file
    try {
      if (writeSync(fd, bytes, 0, bytes.length, this.#end) === bytes.length) {
        this.#end += bytes.length
        this.#size = Math.max(this.#size, this.#end)
        return
      }
    } catch (error) {
      this.#cut()
      throw error
    }
    this.#cut()
    throw new Error(`No room on the disk to add a line to "${this.#path}"`)
  }

  /** Settles when what was added outlives a power cut. */
  async sync(): Promise<void> {
    await this.#file.datasync()
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  /** Where there is no room for that, there may still be for a line. */
  #takeAhead(): void {
    if (this.#ahead === 0) return
    const zeros = Buffer.alloc(this.#ahead)
    try {
      this.#size += writeSync(this.#file.fd, zeros, 0, zeros.length, this.#size)
    } catch {
      this.#cut()
    }
  }

  #cut(): void {
    ftruncateSync(this.#file.fd, this.#end)
    this.#size = this.#end
  }
}
