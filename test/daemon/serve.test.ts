import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import {
  type Ending,
  type Settings,
  useDaemons,
} from '../support/daemon-process.ts'
import { DockerdClient } from '../../src/conformance/dockerd-client.ts'

const run = promisify(execFile)
const MAIN = join(import.meta.dirname, '../../src/main.js')

describe('stowage serve', () => {
  const place = useDaemons()

  it('answers for both interfaces', async () => {
    const daemon = await place.start()
    expect(await daemon.docker.call('Plugin.Activate')).to.deep.equal({
      Implements: ['VolumeDriver', 'GraphDriver'],
    })
    expect(await daemon.docker.call('VolumeDriver.List', {})).to.deep.equal({
      Volumes: [],
    })
    const { Capabilities } = await daemon.docker.call(
      'GraphDriver.Capabilities',
      {},
    )
    expect(Capabilities).to.deep.equal({ ReproducesExactDiffs: false })
  })

  it('implements no more than it is set to', async () => {
    const settings = { STOWAGE_IMPLEMENTS: 'graph' }
    const daemon = await place.start({ settings })
    expect(await daemon.docker.call('Plugin.Activate')).to.deep.equal({
      Implements: ['GraphDriver'],
    })
    const { status } = await daemon.docker.post('VolumeDriver.List', {})
    expect(status).to.equal(404)
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends well on ${signal} and takes its socket away`, async () => {
      const daemon = await place.start()
      const ending = await daemon.stop(signal)
      expect(ending).to.include({ code: 0, signal: null, stderr: '' })
      expect(await fs.readdir(join(place.path, 'run'))).to.deep.equal([])
    })
  }

  it('gives its socket to root and its group, in a directory that it makes', async () => {
    await place.start()
    const socket = await fs.stat(place.socketPath)
    expect(socket.mode & 0o777).to.equal(0o660)
    const directory = await fs.stat(join(place.path, 'run'))
    expect(directory.mode & 0o777).to.equal(0o755)
  })

  it('takes the place of a socket that a dead daemon has left', async () => {
    const first = await place.start()
    await first.stop('SIGKILL')
    await fs.stat(place.socketPath)
    const second = await place.start()
    await second.docker.call('VolumeDriver.List', {})
  })

  it('leaves alone a socket that somebody answers at', async () => {
    const first = await place.start()
    const settings = { STOWAGE_DATA_ROOT: join(place.path, 'other') }
    const { code, stderr } = await place.spawn({ settings }).ended()
    expect(code).to.equal(1)
    expect(stderr).to.match(
      /^stowage: ".*\/run\/stowage\.sock" is in use: another Stowage answers there.*\n$/,
    )
    await first.docker.call('VolumeDriver.List', {})
  })

  it('leaves alone what is no socket', async () => {
    await fs.mkdir(join(place.path, 'run'))
    await fs.writeFile(place.socketPath, 'precious')
    const { code, stderr } = await place.spawn().ended()
    expect(code).to.equal(1)
    expect(stderr).to.match(/^stowage: ".*" is not a socket: move it away\n$/)
    expect(await fs.readFile(place.socketPath, 'utf8')).to.equal('precious')
  })

  it('takes no socket away but its own', async () => {
    const first = await place.start()
    await fs.rename(place.socketPath, `${place.socketPath}.moved`)
    const settings = { STOWAGE_DATA_ROOT: join(place.path, 'other') }
    const second = await place.start({ settings })
    await first.stop()
    await second.docker.call('VolumeDriver.List', {})
    const late = new DockerdClient(place.socketPath)
    await late.call('VolumeDriver.List', {})
    late.close()
  })

  it('is refused a data root that another has, which does not notice', async () => {
    const first = await place.start()
    const settings = { STOWAGE_SOCKET: join(place.path, 'run/second.sock') }
    const { code, stderr } = await place.spawn({ settings }).ended()
    expect(code).to.equal(1)
    expect(stderr).to.match(
      /^stowage: ".*\/root" is in use by another Stowage.*\n$/,
    )
    expect(await fs.readdir(join(place.path, 'run'))).to.deep.equal([
      'stowage.sock',
    ])
    await first.docker.call('VolumeDriver.List', {})
  })

  it('says which data root it cannot use, and why', async () => {
    const roots = ['/sys/stowage', '/dev/null/root']
    for (const root of roots) {
      const settings = { STOWAGE_DATA_ROOT: root }
      const { code, stderr } = await place.spawn({ settings }).ended()
      expect(code, root).to.equal(1)
      expect(stderr).to.match(
        /^stowage: Data root ".*" cannot be used: E\w+: .*\n$/,
      )
    }
  })

  it('refuses a data root that a newer version has written', async () => {
    await fs.mkdir(place.dataRoot)
    await fs.writeFile(join(place.dataRoot, 'format'), 'stowage 999\n')
    const { code, stderr } = await place.spawn().ended()
    expect(code).to.equal(1)
    expect(stderr).to.match(/edition 999.*: use a newer one\n$/)
  })

  it('ends when half of it cannot be opened, and says why', async () => {
    await fs.mkdir(place.dataRoot)
    await fs.writeFile(join(place.dataRoot, 'state'), 'not a directory')
    const { code, stderr } = await place.spawn().ended()
    expect(code).to.equal(1)
    expect(stderr).to.match(/^stowage: E\w+: .*\/state.*\n$/)
  })

  it('stops at a bad setting with one line that names it', async () => {
    const bad: Settings = {
      STOWAGE_DATA_ROOT: 'var/lib/stowage',
      STOWAGE_SOCKET: `/${'x'.repeat(107)}`,
      STOWAGE_ADMIN_SOCKET: 'admin.sock',
      STOWAGE_IMPLEMENTS: 'volume,network',
      STOWAGE_STORES: 'default=nfs:',
      STOWAGE_GRAPH_DRIVER: 'aufs',
      STOWAGE_NAIVE_DIFF: 'yes',
      STOWAGE_SCOPE: 'swarm',
      STOWAGE_METRICS_PORT: '65536',
      STOWAGE_LOG_LEVEL: 'loud',
      STOWAGE_LOG_FORMAT: 'xml',
    }
    const endings = await Promise.all(
      Object.entries(bad).map(
        async ([name, value]): Promise<[string, Ending]> => [
          name,
          await place.spawn({ settings: { [name]: value } }).ended(),
        ],
      ),
    )
    for (const [name, { code, stderr }] of endings) {
      expect(code, stderr).to.equal(2)
      expect(stderr).to.match(/^stowage: [^\n]*\n$/)
      expect(stderr).to.include(`${name}=${JSON.stringify(bad[name])}`)
    }
    expect(await fs.readdir(place.path)).to.deep.equal([])
  })

  it('warns of a setting that there is not', async () => {
    const settings = { STOWAGE_DATAROOT: '/tmp' }
    const daemon = await place.start({ settings })
    expect(await daemon.logged('No such setting')).to.include({
      level: 'warn',
      name: 'STOWAGE_DATAROOT',
    })
  })
})

describe('stowage', () => {
  it('prints its version, and its settings as help', async () => {
    const { stdout } = await run(process.execPath, [MAIN, '--version'])
    expect(stdout).to.match(/^\d+\.\d+\.\d+\n$/)
    const help = await run(process.execPath, [MAIN, '--help'])
    expect(help.stdout).to.include('STOWAGE_DATA_ROOT')
  })

  it('refuses a command that it does not know', async () => {
    for (const words of [[], ['frobnicate'], ['serve', 'now'], ['--verbose']]) {
      const ended = await run(process.execPath, [MAIN, ...words]).catch(
        (error: unknown) => error,
      )
      expect(ended).to.include({ code: 2 })
    }
  })
})
