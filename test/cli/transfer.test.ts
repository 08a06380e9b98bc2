import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  build,
  directory,
  fifo,
  file,
  hardLink,
  portray,
  sparseFile,
  symlink,
} from '../../src/conformance/tree.ts'
import { amount, tell } from '../support/campaign.ts'
import { type DaemonProcess, useDaemons } from '../support/daemon-process.ts'
import { PseudoTerminal } from '../support/pseudo-terminal.ts'

const run = promisify(execFile)
const MAIN = join(import.meta.dirname, '../../src/main.js')
const MIB = 1 << 20

/** The whole size is 20,000 files, and 2 GiB of data. */
const FILES = amount('STOWAGE_TRANSFER_FILES', 1000)
const SIZE = amount('STOWAGE_TRANSFER_MIB', 64) * MIB

/** Half of the data is in one file, and half in many. */
const LARGE = SIZE / 2
const SMALL = LARGE / FILES
const SPARSE = 64 * MIB
const IN_DIRECTORY = 100

describe('A volume that moves out and in', function () {
  needs('root', 'zstd', 'script')
  this.timeout(1_200_000)
  const place = useDaemons()
  const source = useTempDir()
  let daemon: DaemonProcess
  let terminal: PseudoTerminal | undefined

  beforeEach(async () => {
    await fill(source.path)
    daemon = await place.start()
    // Docker's socket is the first to answer.
    await daemon.logged('Serving')
    await stowage('volume', 'adopt', 'db', source.path)
  })
  afterEach(() => terminal?.close())

  it('keeps every attribute of every file, and shows how far it is', async () => {
    const archive = join(place.path, 'db.tar.zst')
    const [exported, exportTook] = await shown(`export db ${archive}`)
    expect(exported).to.match(/\rExporting db {2}█*░* +\d+% {2}\S+ .iB of /)
    expect(exported).to.match(/100% .*\r\nExported db to .*\/db\.tar\.zst, /)

    const [imported, importTook] = await shown(`import copy ${archive}`)
    expect(imported).to.match(/\rImporting copy {2}█*░* +\d+% {2}\S+ .iB of /)
    expect(imported).to.match(/Imported \d+ entries, .* to copy\r\n$/)

    const copy = dataOf('copy')
    const before = await portray(source.path)
    expect(await portray(copy)).to.deep.equal(before)
    // What was sparse is sparse again.
    const { blocks } = await fs.stat(join(copy, 'sparse'))
    expect(blocks * 512).to.be.below(SPARSE / 2)
    tell(
      'transfer',
      `${Object.keys(before).length} entries, ${SIZE / MIB} MiB: out in ${exportTook} s, in in ${importTook} s`,
    )
  })

  it('leaves nothing of an export that is interrupted', async () => {
    // No compression finds it easy, so that there is time to.
    terminal = start(`stowage export db ${place.path}/db.tar.gz`)
    await terminal.shows(/iB/)
    terminal.interrupt()
    expect(await terminal.ended()).to.equal(130)
    const left = await fs.readdir(place.path)
    expect(left.filter((name) => name.includes('db.tar'))).to.deep.equal([])
    await noJobs()
  })

  it('leaves nothing of an import that is interrupted', async () => {
    const tar = join(place.path, 'db.tar')
    await stowage('export', 'db', tar)
    // What comes after the half is waited for until somebody has enough of it.
    terminal = start(
      `(head -c ${LARGE} ${tar}; sleep 1000) | stowage import copy`,
    )
    await terminal.shows(/MiB/)
    terminal.interrupt()
    expect(await terminal.ended()).to.equal(130)
    await noJobs()
    const { stdout } = await stowage('volume', 'ls', '--quiet')
    expect(stdout).to.equal('db\n')
    const store = join(daemon.dataRoot, 'volumes/default')
    const left = await fs.readdir(store)
    expect(left.filter((name) => name.startsWith('new-'))).to.deep.equal([])
    expect(await fs.readdir(join(store, 'volumes'))).to.deep.equal(['db'])
  })

  function dataOf(name: string): string {
    return join(daemon.dataRoot, 'volumes/default/volumes', name, 'data')
  }

  function stowage(...words: readonly string[]): Promise<{ stdout: string }> {
    return run(process.execPath, [MAIN, ...words], { env: env() })
  }

  function start(line: string): PseudoTerminal {
    const command = `${process.execPath} ${MAIN} `
    return PseudoTerminal.run(line.replace('stowage ', command), env())
  }

  /** What a terminal shows of a command that succeeds, and the seconds it took. */
  async function shown(words: string): Promise<[string, number]> {
    const began = performance.now()
    terminal = start(`stowage ${words}`)
    expect(await terminal.ended(), terminal.screen).to.equal(0)
    return [terminal.screen, Math.round((performance.now() - began) / 1000)]
  }

  function env(): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH,
      SHELL: '/bin/sh',
      STOWAGE_ADMIN_SOCKET: daemon.adminSocketPath,
    }
  }

  async function noJobs(): Promise<void> {
    const { stdout } = await stowage('job', 'ls', '--json')
    expect(stdout).to.not.include('"running"')
  }
})

/** Real data in many files, and one of each thing that a file may be or have. */
async function fill(root: string): Promise<void> {
  await build(
    root,
    sparseFile('sparse', SPARSE, { 0: 'begins', [SPARSE - 6]: 'ends' }),
    file('setuid', 'x', { mode: 0o4755, uid: 1000, gid: 1000 }),
    file('labelled', 'x', { xattrs: { 'user.colour': 'blue' } }),
    symlink('link', 'setuid'),
    hardLink('same', 'labelled'),
    fifo('fifo', { mode: 0o600 }),
  )
  const data = randomBytes(4 * MIB)
  const large = createWriteStream(join(root, 'large'))
  for (let written = 0; written < LARGE; written += data.length) {
    const piece = data.subarray(0, Math.min(data.length, LARGE - written))
    await new Promise((done) => large.write(piece, done))
  }
  await new Promise<void>((done) => large.end(done))
  for (let i = 0; i < FILES; i++) {
    const parent = `d${Math.floor(i / IN_DIRECTORY)}`
    const mtime = 1_600_000_000_000_000_000n + BigInt(i) * 1_000_003n
    // Each begins elsewhere, and is as long as the others or half of it.
    const length = i % 2 === 0 ? SMALL * 1.5 : SMALL / 2
    const from = (i * 4099) % (data.length / 2)
    await build(
      root,
      ...(i % IN_DIRECTORY === 0 ? [directory(parent, { mode: 0o750 })] : []),
      file(`${parent}/f${i}`, data.subarray(from, from + length), {
        mode: 0o600 + (i % 64),
        uid: i % 5000,
        gid: i % 300,
        mtime,
      }),
    )
  }
}
