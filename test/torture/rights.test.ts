import * as fs from 'node:fs/promises'
import { join, relative } from 'node:path'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { tell } from '../support/campaign.ts'
import { useDaemons } from '../support/daemon-process.ts'

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

describe('What the program runs', () => {
  it('is never run by a shell, which would read meaning into names', async () => {
    const suspects: string[] = []
    let running = 0
    for (const name of await fs.readdir('src', { recursive: true })) {
      if (!name.endsWith('.ts')) continue
      const text = await fs.readFile(join('src', name), 'utf8')
      if (!text.includes("'node:child_process'")) continue
      running++
      const [, imported = ''] =
        /import \{([^}]*)\} from 'node:child_process'/.exec(text) ?? []
      const isPlain = imported
        .split(',')
        .map((one) => one.trim().replace(/^type /, ''))
        .every((one) =>
          ['execFile', 'spawn', 'fork', 'ChildProcess', ''].includes(one),
        )
      const hasShell = /\bshell\s*:|'-c'|"-c"/.test(text)
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
