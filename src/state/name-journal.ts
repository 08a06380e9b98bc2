import * as fs from 'node:fs/promises'
import { isErrno } from '../base/errors.ts'
import { KeyedMutex } from '../base/keyed-mutex.ts'
import { writeFileAtomic } from './atomic-file.ts'
import { LineFile } from './line-file.ts'

/** Some hundred names. */
const AHEAD = 16 * 1024

/**
 * The names that something else is known to have, for when it cannot be asked:
 *
 *     +<name>
 *     -<name>
 *
 * A killed process leaves it readable: a last line that was cut short was never
 * acted upon. What was added outlives a power cut once `sync` has settled. Names
 * hold no newlines.
 */
export class NameJournal {
  readonly #path: string
  #names: Set<string>
  readonly #isNew: boolean
  /** Whether the file ends where a line does, and is not much longer than need be. */
  #isWhole: boolean
  readonly #turns = new KeyedMutex()
  #file: LineFile | undefined

  private constructor(path: string, text: string | undefined) {
    const lines = text?.split('\n') ?? []
    // The piece after the last newline is room ahead, or a line that was cut short.
    const rest = lines.pop()
    this.#path = path
    this.#names = replay(lines)
    this.#isNew = text === undefined
    this.#isWhole =
      lines.length > 0 && isRoom(rest) && !isWordy(lines, this.#names)
  }

  /** Opens the journal at `path` for reading; it is written from `replace` on. */
  static async open(path: string): Promise<NameJournal> {
    return new NameJournal(path, await readIfThere(path))
  }

  /** Whether nothing had been noted when it was opened, not even "no names". */
  get isNew(): boolean {
    return this.#isNew
  }

  get names(): ReadonlySet<string> {
    return this.#names
  }

  /**
   * Notes that these are all the names there are, each told once. Where they are
   * known already nothing is written: a full disk must keep nobody from a restart.
   */
  async replace(names: Iterable<string>): Promise<void> {
    const known = this.#names
    const all = [...names]
    const isKnown =
      all.length === known.size && all.every((name) => known.has(name))
    if (!isKnown) this.#names = new Set(all)
    await this.#turns.run('file', async () => {
      if (!this.#isWhole || !isKnown) await this.#rewrite(all, known)
      await this.#file?.close()
      this.#file = await LineFile.open(this.#path, { ahead: AHEAD })
    })
  }

  async add(name: string): Promise<void> {
    if (this.#names.has(name)) return
    this.#names.add(name)
    try {
      await this.#append(`+${name}`)
    } catch (error) {
      this.#names.delete(name)
      throw error
    }
  }

  async delete(name: string): Promise<void> {
    if (this.#names.delete(name)) await this.#append(`-${name}`)
  }

  async sync(): Promise<void> {
    await this.#file?.sync()
  }

  async close(): Promise<void> {
    await this.#turns.run('file', async () => {
      await this.#file?.close()
      this.#file = undefined
    })
  }

  /** On a full disk the old file is kept, if all names are among those it has. */
  async #rewrite(
    all: readonly string[],
    known: ReadonlySet<string>,
  ): Promise<void> {
    const lines = all.map((name) => `+${name}\n`)
    try {
      await writeFileAtomic(this.#path, lines.join(''))
      this.#isWhole = true
    } catch (error) {
      const isEnough = this.#isWhole && all.every((name) => known.has(name))
      if (!isErrno(error, 'ENOSPC', 'EDQUOT') || !isEnough) throw error
    }
  }

  async #append(line: string): Promise<void> {
    await this.#turns.run('file', async () => this.#file?.append(line))
  }
}

/** Whether nothing is written there yet. */
function isRoom(text = ''): boolean {
  return /^\0*$/.test(text)
}

/** Whether most of a journal is about names that have gone again. */
function isWordy(
  lines: readonly string[],
  names: ReadonlySet<string>,
): boolean {
  return lines.length >= 100 + 2 * names.size
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await fs.readFile(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

function replay(lines: readonly string[]): Set<string> {
  const names = new Set<string>()
  for (const line of lines) {
    if (line.startsWith('+')) names.add(line.slice(1))
    else names.delete(line.slice(1))
  }
  return names
}
