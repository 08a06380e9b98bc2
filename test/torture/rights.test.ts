import { spawn } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { join, relative } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { tell } from '../support/campaign.ts'
import { type DaemonProcess, useDaemons } from '../support/daemon-process.ts'

/** Where the files of volumes and layers begin, whose rights are their users'. */
const FILES = new Set(['data', 'view', 'diff', 'tree', 'mnt'])

const FOR_OTHERS = 0o007
const PASSING_ONLY = 0o001

describe('The rights of what a daemon makes', () => {
  needs('root', 'overlay')
  const place = useDaemons()

  it('let others pass to their volumes, and read and write nothing', async () => {
    const daemon = await place.start()
    const { docker } = daemon
    const home = join(place.path, 'home')
    await docker.call('GraphDriver.Init', { Home: home })
    await docker.call('GraphDriver.Create', { ID: 'base' })
    await docker.call('GraphDriver.Create', { ID: 'child', Parent: 'base' })
    await docker.call('GraphDriver.Get', { ID: 'child' })
    await docker.call('VolumeDriver.Create', { Name: 'v', Opts: { ro: '' } })
    await docker.call('VolumeDriver.Mount', { Name: 'v', ID: 'somebody' })

    const open: string[] = []
    let looked = 0
    for (const top of [daemon.dataRoot, home]) {
      for await (const { path, mode, isDirectory } of walk(top)) {
        looked++
        const allowed = isDirectory ? PASSING_ONLY : 0
        if ((mode & FOR_OTHERS & ~allowed) === 0) continue
        open.push(`${relative(place.path, path)} ${(mode & 0o777).toString(8)}`)
      }
    }
    await docker.call('GraphDriver.Cleanup', {})
    expect(open).to.deep.equal([])
    expect(await modeOf(daemon.dataRoot)).to.equal(0o711)
    tell('Rights', `${looked} files and directories, none open to others`)
  })

  it('let Docker alone, and whom it trusts, into the sockets', async () => {
    const daemon = await place.start()
    expect(await modeOf(daemon.socketPath)).to.equal(0o660)
  })
})

/** What whoever has no rights may want to know, and do. */
const VERBS = ['volume ls', 'trash ls', 'trash empty', 'export v']

describe('Somebody who is not root', function () {
  needs('root', 'overlay')
  this.timeout(60_000)
  const place = useDaemons()
  let daemon: DaemonProcess

  beforeEach(async () => {
    // Nothing but what we make stands in the way.
    await fs.chmod(place.path, 0o755)
    daemon = await place.start()
    const { docker } = daemon
    const home = join(place.path, 'home')
    await docker.call('GraphDriver.Init', { Home: home })
    await docker.call('GraphDriver.Create', { ID: 'base' })
    for (const Name of ['v', 'gone']) {
      await docker.call('VolumeDriver.Create', { Name, Opts: {} })
    }
    await docker.call('VolumeDriver.Remove', { Name: 'gone' })
  })

  it('gets at no socket, record, journal or removed volume', async () => {
    const paths: string[] = [daemon.socketPath, daemon.adminSocketPath]
    for (const top of [daemon.dataRoot, join(place.path, 'home')]) {
      for await (const { path } of walk(top)) paths.push(path)
    }
    expect(paths.join('\n')).to.match(/\/trash\/.*volume\.json/)
    const control = join(place.path, 'for-everybody')
    await fs.writeFile(control, '', { mode: 0o644 })
    const { stdout } = await ran(REACH, [], [control, ...paths].join('\n'))
    expect(stdout).to.equal(`read ${control}\n`)
    await daemon.docker.call('GraphDriver.Cleanup', {})
    tell('Rights, somebody else', `${paths.length} paths, none within reach`)
  })

  it('is told by the command what to do about it', async () => {
    for (const verb of VERBS) {
      const words = [...verb.split(' '), '--socket', daemon.adminSocketPath]
      const { stdout, stderr, code } = await ran(COMMAND, words)
      expect(`${verb}: ${stdout}${stderr}`).to.match(
        /^[^:]*: .*"[^"]*admin\.sock" is for root alone: run the command as root/s,
      )
      expect(code, verb).to.not.equal(0)
      expect(stderr, verb).to.not.match(/EACCES|\bat .*\.js/)
    }
    await daemon.docker.call('GraphDriver.Cleanup', {})
  })
})

const COMMAND = new URL('../support/command-as-nobody.js', import.meta.url)
const REACH = new URL('../support/reach-as-nobody.js', import.meta.url)

interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
}

async function ran(
  script: URL,
  words: readonly string[],
  input = '',
): Promise<Ran> {
  const child = spawn(process.execPath, [fileURLToPath(script), ...words], {
    stdio: 'pipe',
  })
  child.stdin.end(input)
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { stdout, stderr, code: code as number | null }
}

describe('What the program runs', () => {
  it('is never run by a shell, which would read meaning into names', async () => {
    const suspects: string[] = []
    let running = 0
    for (const name of await fs.readdir('src', { recursive: true })) {
      if (!name.endsWith('.ts')) continue
      const source = await fs.readFile(join('src', name), 'utf8')
      if (!source.includes("'node:child_process'")) continue
      running++
      const [, imported = ''] =
        /import \{([^}]*)\} from 'node:child_process'/.exec(source) ?? []
      const isPlain = imported
        .split(',')
        .map((one) => one.trim().replace(/^type /, ''))
        .every((one) =>
          ['execFile', 'spawn', 'fork', 'ChildProcess', ''].includes(one),
        )
      const hasShell = /\bshell\s*:|'-c'|"-c"/.test(source)
      if (imported === '' || !isPlain || hasShell) suspects.push(name)
    }
    expect(running).to.be.above(0)
    expect(suspects).to.deep.equal([])
  })
})

async function modeOf(path: string): Promise<number> {
  return (await fs.stat(path)).mode & 0o777
}

interface Found {
  readonly path: string
  readonly mode: number
  readonly isDirectory: boolean
}

async function* walk(path: string): AsyncGenerator<Found> {
  const stats = await fs.lstat(path)
  if (stats.isSymbolicLink()) return
  yield { path, mode: stats.mode, isDirectory: stats.isDirectory() }
  if (!stats.isDirectory()) return
  for (const name of await fs.readdir(path)) {
    if (!FILES.has(name)) yield* walk(join(path, name))
  }
}
