import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { type DaemonProcess, useDaemons } from '../support/daemon-process.ts'
import { PseudoTerminal } from '../support/pseudo-terminal.ts'

const run = promisify(execFile)
const MAIN = join(import.meta.dirname, '../../src/main.js')
const MIB = 1 << 20

/** What a terminal takes for "erase to the end of the line". */
const ERASE = '\u001B[K'

describe('At a terminal', function () {
  needs('root', 'script')
  this.timeout(60_000)
  const place = useDaemons()
  let daemon: DaemonProcess
  let terminals: PseudoTerminal[] = []

  beforeEach(async () => {
    daemon = await place.start()
    // Docker's socket is the first to answer.
    await daemon.logged('Serving')
  })
  afterEach(() => {
    for (const terminal of terminals) terminal.close()
    terminals = []
  })

  it('tables fit 80 columns, however long names are', async () => {
    const name = 'a-volume-of-a-name-'.repeat(6) + 'x'
    await stowage('volume', 'create', name)
    await stowage('volume', 'create', 'short')
    const shown = await screenOf('volume ls')
    const [titles = '', first = '', second = ''] = shown.split('\r\n')
    expect(titles).to.match(/^NAME +STORE +KIND +CAPACITY +CREATED/)
    expect(first).to.match(/^a-volume-of-a-name-.*… +default +local/)
    expect(second).to.match(/^short +default +local/)
    for (const line of shown.split('\r\n')) {
      expect(line.length, line).to.be.at.most(80)
    }
    const { stdout } = await stowage('volume', 'ls')
    expect(stdout).to.include(name)
  })

  it('each help fits 80 columns', async () => {
    for (const verb of ['', 'volume', 'volume create', 'export', 'doctor']) {
      const shown = await screenOf(`${verb} --help`)
      const wide = shown
        .split('\r\n')
        // Settings' meanings, and examples, are lines to copy.
        .filter((line) => line.length > 80 && !/^ {2,}\S/.test(line))
      expect(wide, verb).to.deep.equal([])
    }
  })

  it('an export shows how far it is, and a pipe is shown nothing', async () => {
    await filled('db', 32)
    const shown = await screenOf(`export db ${place.path}/db.tar`)
    expect(shown).to.match(/\rExporting db  (?:█+░* +\d+%  )?.*MiB/)
    expect(shown).to.match(/Exported db to .*\/db\.tar, 32\.0 MiB\r\n$/)
    const lines = shown.replaceAll(ERASE, '').split(/[\r\n]+/)
    for (const line of lines) expect(line.length, line).to.be.at.most(80)

    const piped = await stowage('export', 'db', join(place.path, 'again.tar'))
    expect(piped.stderr).to.equal('')
  })

  it('an import shows how far it is', async () => {
    await filled('db', 32)
    await stowage('export', 'db', join(place.path, 'db.tar'))
    const shown = await screenOf(`import copy ${place.path}/db.tar`)
    expect(shown).to.match(/\rImporting copy  █*░* +\d+%  .*of 32\.0 MiB/)
    expect(shown).to.match(/Imported 2 entries, 32\.0 MiB, to copy\r\n$/)
  })

  it('Ctrl-C leaves nothing of an export', async () => {
    await filled('db', 128)
    const file = join(place.path, 'db.tar.gz')
    const terminal = start(`export db ${file}`)
    await terminal.shows(/MiB/)
    terminal.interrupt()
    expect(await terminal.ended()).to.equal(130)
    expect(terminal.screen).to.include('stowage: Interrupted')
    const left = await fs.readdir(place.path)
    expect(left.filter((name) => name.includes('db.tar'))).to.deep.equal([])
    await expectNoJobs()
  })

  it('Ctrl-C leaves nothing of an import', async () => {
    await filled('db', 1)
    const tar = join(place.path, 'db.tar')
    await stowage('export', 'db', tar)
    // What comes after the half is waited for until somebody has enough of it.
    const terminal = start(
      'import copy',
      `(head -c ${MIB / 2} ${tar}; sleep 1000)`,
    )
    await terminal.shows(/KiB/)
    terminal.interrupt()
    expect(await terminal.ended()).to.equal(130)
    const { stdout } = await stowage('volume', 'ls', '--quiet')
    expect(stdout).to.equal('db\n')
    const volumes = join(daemon.dataRoot, 'volumes/default')
    const left = await fs.readdir(volumes)
    expect(left.filter((name) => name.startsWith('new-'))).to.deep.equal([])
    await expectNoJobs()
  })

  it('a tar is not for a terminal', async () => {
    await filled('db', 1)
    const terminal = start('export db')
    expect(await terminal.ended()).to.equal(2)
    expect(terminal.screen).to.match(/not for a terminal/)
  })

  /** A volume with a file of `size` MiB that no compression finds easy. */
  async function filled(name: string, size: number): Promise<void> {
    await stowage('volume', 'create', name)
    const data = join(daemon.dataRoot, 'volumes/default/volumes', name, 'data')
    await run('dd', [
      'if=/dev/urandom',
      `of=${data}/file`,
      'bs=1M',
      `count=${size}`,
    ])
  }

  /** The daemon has let go of what nobody waits for any more. */
  async function expectNoJobs(): Promise<void> {
    const { stdout } = await stowage('job', 'ls', '--json')
    const jobs: { state: string }[] = JSON.parse(stdout)
    expect(jobs.map(({ state }) => state)).to.not.include('running')
  }

  function stowage(
    ...words: readonly string[]
  ): Promise<{ stdout: string; stderr: string }> {
    return run(process.execPath, [MAIN, ...words], { env: env() })
  }

  function start(words: string, before?: string): PseudoTerminal {
    const command = `${process.execPath} ${MAIN} ${words}`
    const line = before === undefined ? command : `${before} | ${command}`
    const terminal = PseudoTerminal.run(line, env())
    terminals.push(terminal)
    return terminal
  }

  async function screenOf(words: string): Promise<string> {
    const terminal = start(words)
    await terminal.ended()
    return terminal.screen
  }

  function env(): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH,
      SHELL: '/bin/sh',
      STOWAGE_ADMIN_SOCKET: daemon.adminSocketPath,
      STOWAGE_DATA_ROOT: daemon.dataRoot,
    }
  }
})
