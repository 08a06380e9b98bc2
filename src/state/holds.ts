import * as fs from 'node:fs/promises'
import { isErrno } from '../base/errors.ts'
import { KeyedMutex } from '../base/keyed-mutex.ts'
import { writeFileAtomic } from './atomic-file.ts'
import { bootId } from './boot-id.ts'
import { LineFile } from './line-file.ts'

/** Lines after which the journal is written anew, so that it stays small. */
const COMPACT_AFTER = 10_000

/** How often each holder holds one key. */
export type Holders = ReadonlyMap<string, number>

const NOBODY: Holders = new Map()

/**
 * Who holds what: for each key (a volume, a layer) a multiset of holders.
 *
 * Docker repeats mount ids and expects them to be counted, and it does not tell
 * a plugin that it was restarted. So holds are recorded before they are answered,
 * in a journal that a killed process leaves readable:
 *
 *     <boot id>
 *     + <key> <holder>
 *     - <key> <holder>
 *     = <key>              the key is held no more, by anyone
 *
 * It is not fsynced: what was held under another boot is held no more, so a
 * journal with a foreign boot id counts for nothing. A last line that a crash cut
 * short was never answered and is ignored.
 *
 * Keys and holders hold no blanks. Calls for one key take turns by the caller.
 */
export class Holds {
  readonly #path: string
  readonly #boot: string
  readonly #holders: Map<string, Map<string, number>>
  readonly #turns = new KeyedMutex()
  #file: LineFile
  #lines: number

  private constructor(
    path: string,
    { boot, holders, lines }: Journal,
    file: LineFile,
  ) {
    this.#path = path
    this.#boot = boot
    this.#holders = holders
    this.#lines = lines
    this.#file = file
  }

  /**
   * Opens the journal at `path` with what this boot's processes left in it. That
   * takes no room on disk, for a full one must not keep anybody from a restart.
   */
  static async open(path: string): Promise<Holds> {
    const boot = await bootId()
    let journal = replay(await readOrEmpty(path), boot)
    if (journal.length === 0) {
      // What another boot left counts for nothing, and may be in the way.
      await fs.rm(path, { force: true })
      const length = await writeJournal(path, boot, journal.holders)
      journal = { ...journal, length }
    }
    await fs.truncate(path, journal.length)
    return new Holds(path, journal, await LineFile.open(path))
  }

  /** Adds one hold and answers how many there are on `key` now. */
  async add(key: string, holder: string): Promise<number> {
    const holders = this.#holders.get(key) ?? new Map<string, number>()
    this.#holders.set(key, holders)
    holders.set(holder, (holders.get(holder) ?? 0) + 1)
    await this.#append(`+ ${key} ${holder}`)
    return this.count(key)
  }

  /**
   * Takes one hold back and answers how many are left on `key`. A holder that
   * holds nothing takes nothing back.
   */
  async drop(key: string, holder: string): Promise<number> {
    if (drop(this.#holders, key, holder))
      await this.#append(`- ${key} ${holder}`)
    return this.count(key)
  }

  /** Takes back all holds on `key`, whoever has them. */
  async clear(key: string): Promise<void> {
    if (this.#holders.delete(key)) await this.#append(`= ${key}`)
  }

  count(key: string): number {
    let count = 0
    for (const times of this.holders(key).values()) count += times
    return count
  }

  holders(key: string): Holders {
    return this.#holders.get(key) ?? NOBODY
  }

  /** The keys that somebody holds. */
  keys(): readonly string[] {
    return [...this.#holders.keys()]
  }

  async close(): Promise<void> {
    await this.#turns.run('file', () => this.#file.close())
  }

  /** Here and now, unless the journal is being written anew, or should be. */
  #append(line: string): Promise<void> | void {
    if (this.#lines >= COMPACT_AFTER || this.#turns.isBusy('file')) {
      return this.#appendInTurn(line)
    }
    this.#lines++
    this.#file.append(line)
  }

  async #appendInTurn(line: string): Promise<void> {
    await this.#turns.run('file', async () => {
      if (this.#lines++ >= COMPACT_AFTER) await this.#compact()
      else this.#file.append(line)
    })
  }

  /** What is in memory already has the line that brought us here. */
  async #compact(): Promise<void> {
    await writeJournal(this.#path, this.#boot, this.#holders)
    await this.#file.close()
    this.#file = await LineFile.open(this.#path)
    this.#lines = 0
  }
}

/** Who holds what by the journal at `path`, without taking it over. */
export async function readHolds(
  path: string,
): Promise<ReadonlyMap<string, Holders>> {
  return replay(await readOrEmpty(path), await bootId()).holders
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await fs.readFile(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return ''
    throw error
  }
}

/** What a journal says. */
interface Journal {
  readonly boot: string
  readonly holders: Map<string, Map<string, number>>
  readonly lines: number
  /** In bytes, without a last line that was cut short; 0 if it is of another boot. */
  readonly length: number
}

function replay(text: string, boot: string): Journal {
  const holders = new Map<string, Map<string, number>>()
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  const [head, ...lines] = whole.split('\n').slice(0, -1)
  if (head !== boot) return { boot, holders, lines: 0, length: 0 }
  for (const line of lines) {
    const [verb, key = '', holder = ''] = line.split(' ')
    if (verb === '+') {
      const ofKey = holders.get(key) ?? new Map<string, number>()
      holders.set(key, ofKey)
      ofKey.set(holder, (ofKey.get(holder) ?? 0) + 1)
    } else if (verb === '-') {
      drop(holders, key, holder)
    } else if (verb === '=') {
      holders.delete(key)
    }
  }
  const length = Buffer.byteLength(whole)
  return { boot, holders, lines: lines.length, length }
}

function drop(
  holders: Map<string, Map<string, number>>,
  key: string,
  holder: string,
): boolean {
  const ofKey = holders.get(key)
  const times = ofKey?.get(holder)
  if (ofKey === undefined || times === undefined) return false
  if (times > 1) ofKey.set(holder, times - 1)
  else ofKey.delete(holder)
  if (ofKey.size === 0) holders.delete(key)
  return true
}

async function writeJournal(
  path: string,
  boot: string,
  holders: ReadonlyMap<string, Holders>,
): Promise<number> {
  let journal = `${boot}\n`
  for (const [key, ofKey] of holders) {
    for (const [holder, times] of ofKey) {
      journal += `+ ${key} ${holder}\n`.repeat(times)
    }
  }
  await writeFileAtomic(path, journal, { durable: false })
  return Buffer.byteLength(journal)
}
