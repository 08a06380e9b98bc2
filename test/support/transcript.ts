import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import type { ShellResult } from './private-host.ts'

const SNAPSHOTS = join(import.meta.dirname, '../../../test/docker/transcripts')

/** What differs from run to run, and what stands for it. */
const CHANGING: readonly (readonly [RegExp, string])[] = [
  // What a small archive comes to, compressed or not.
  [/\b\d{3} B\b/g, 'NNN B'],
  [/"bytes": \d{3}\b/g, '"bytes": NNN'],
  // What snapshots and removed volumes are called by.
  [/\b\d{8}-\d{6}\.\d{3}\b/g, 'YYYYMMDD-hhmmss.mmm'],
  [
    /\b\d{4}-\d\d-\d\dT\d{6}\.\d{3}Z-[0-9a-f]{8}\b/g,
    'YYYY-MM-DDThhmmss.mmmZ-NNNNNNNN',
  ],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g, 'T'],
  [/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'YYYY-MM-DD hh:mm'],
  [/\b[0-9a-f]{64}\b/g, 'ID'],
  // As wide as what it stands for, because it stands in tables.
  [/\b[0-9a-f]{12}\b/g, 'ID-12-DIGITS'],
  [/\/tmp\/stowage-[a-z]+-[A-Za-z0-9]{6}/g, '/host'],
  [
    /("(?:pid|milliseconds|free|size|allocated|inodes|freeInodes|request)": ?)("?)[\w.-]+\2/g,
    '$1N',
  ],
]

/**
 * What commands say, held as a file beside the tests that reads like a terminal's
 * screen. `STOWAGE_TRANSCRIPTS=write` writes the files anew: read what changed.
 */
export class Transcript {
  readonly #run: (line: string) => Promise<ShellResult>
  readonly #alsoChanging: readonly (readonly [RegExp, string])[]
  #text = ''

  constructor(
    run: (line: string) => Promise<ShellResult>,
    alsoChanging: readonly (readonly [RegExp, string])[] = [],
  ) {
    this.#run = run
    this.#alsoChanging = alsoChanging
  }

  /** Runs each line, and notes what it says and what it ends with. */
  async lines(...lines: readonly string[]): Promise<void> {
    for (const line of lines) {
      const { stdout, stderr, code } = await this.#run(line)
      this.#text += `$ ${line}\n${stdout}${stderr}`
      if (code !== 0) this.#text += `[exit ${code}]\n`
      this.#text += '\n'
    }
  }

  /** Compares all of it with the file `name`. */
  async expectSame(name: string): Promise<void> {
    const path = join(SNAPSHOTS, `${name}.txt`)
    const now = [...this.#alsoChanging, ...CHANGING].reduce(
      (text, [pattern, instead]) => text.replaceAll(pattern, instead),
      this.#text,
    )
    if (process.env.STOWAGE_TRANSCRIPTS === 'write') {
      await fs.mkdir(SNAPSHOTS, { recursive: true })
      await fs.writeFile(path, now)
      return
    }
    expect(now).to.equal(await fs.readFile(path, 'utf8'))
  }
}
