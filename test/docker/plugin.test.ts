import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { importBusybox } from '../support/images.ts'
import { createPlugin } from '../support/plugin.ts'
import { PrivateHost } from '../support/private-host.ts'

const run = promisify(execFile)

/** What is asked of the plugin, in MiB of its files. */
const LARGEST = 130

/** A value of each setting that is not the one it has. */
const OTHER_VALUES: Readonly<Record<string, string>> = {
  STOWAGE_ADMIN_SOCKET: '/run/docker/plugins/other.sock',
  STOWAGE_IMPLEMENTS: 'graph,volume',
  STOWAGE_STORES: 'default=local: sized=loop:?capacity=16MiB',
  STOWAGE_TRASH_TIME: '1h',
  STOWAGE_TRASH_FREE: '10%',
  STOWAGE_GRAPH_DRIVER: 'overlay',
  STOWAGE_NAIVE_DIFF: 'true',
  STOWAGE_SCOPE: 'global',
  STOWAGE_METRICS_PORT: '9323',
  STOWAGE_LOG_LEVEL: 'debug',
  STOWAGE_LOG_FORMAT: 'text',
}

describe('The managed plugin', function () {
  needs('root', 'docker', 'busybox', 'overlay', 'loop', 'ext4')
  this.timeout(180_000)
  let host: PrivateHost

  before(async () => {
    host = await PrivateHost.open()
    await host.startDockerd()
    await importBusybox(host)
  })
  after(() => host?.close())

  it('is created and enabled by one command', async () => {
    const said = await create()
    expect(said).to.match(/docker volume create --driver stowage/)
    expect(said).not.to.match(/restart/)
    expect(await state()).to.equal('true')
  })

  it(`is smaller than ${LARGEST} MiB`, async () => {
    const root = join(host.directory, 'docker/plugins', await id(), 'rootfs')
    const { stdout } = await run('du', ['-sm', '--one-file-system', root])
    const size = Number.parseInt(stdout)
    console.log(`      rootfs: ${size} MiB`)
    expect(size).to.be.lessThan(LARGEST)
  })

  it('keeps what a container writes in a volume', async () => {
    await host.docker('volume create --driver stowage --opt mode=0750 kept')
    await sh('kept', 'echo rows > /vol/file')
    expect(await sh('kept', 'cat /vol/file; stat -c %a /vol')).to.equal(
      'rows\n750',
    )
  })

  it('keeps volumes on the host, in /var/lib/stowage', async () => {
    const file = '/var/lib/stowage/volumes/default/volumes/kept/data/file'
    expect(await host.inside('cat', file)).to.equal('rows\n')
  })

  it('changes every setting that docker plugin set may change', async () => {
    await host.docker('plugin disable --force stowage')
    const settings = Object.entries(OTHER_VALUES)
    for (const [name, value] of settings) {
      await host.docker('plugin set stowage', `${name}=${value}`)
    }
    expect(settings.map(([name]) => name)).to.deep.equal(await settable())
    await enable()
    const serving = await lastServing(/adminSocket=\S*other\.sock/)
    expect(serving)
      .to.match(/graphDriver=\S*overlay/)
      .and.to.match(/naiveDiff=true/)
      .and.to.match(/metricsPort=9323/)
    expect(await host.docker('volume inspect -f {{.Scope}} kept')).to.equal(
      'global',
    )
    expect(await sh('kept', 'cat /vol/file')).to.equal('rows')
  })

  it('keeps volumes of a size, in images that it mounts itself', async () => {
    await host.docker('volume create --driver stowage --opt store=sized sized')
    const fill = 'dd if=/dev/zero of=/vol/much bs=1M count=20 2>&1 || true'
    expect(await sh('sized', fill)).to.match(/No space left on device/)
    expect(await sh('sized', 'rm /vol/much; echo rows > /vol/file')).to.equal(
      '',
    )
  })

  it('leaves a running container its volumes while it is away', async () => {
    await host.docker(
      'run --detach --network=none --name user --volume kept:/vol --volume sized:/sized bb sleep 1000',
    )
    await host.docker('plugin disable --force stowage')
    const seen = 'exec user sh -c'
    expect(
      await host.docker(seen, 'echo more >> /vol/file; cat /sized/file'),
    ).to.equal('rows')
    await enable()
    expect(await host.docker(seen, 'cat /vol/file')).to.equal('rows\nmore')
    await host.docker('rm --force user')
    expect(await sh('kept', 'cat /vol/file')).to.equal('rows\nmore')
    expect(await sh('sized', 'cat /vol/file')).to.equal('rows')
  })

  it('starts again by itself when it is killed, and has its volumes', async () => {
    process.kill(await pid(), 'SIGKILL')
    expect(await sh('sized', 'cat /vol/file')).to.equal('rows')
    expect(await sh('kept', 'cat /vol/file')).to.equal('rows\nmore')
  })

  it('keeps layers while it is disabled and upgraded', async () => {
    await restartDockerd('stowage')
    await importBusybox(host)
    await host.docker(
      'run --network=none --name writer bb sh -c',
      'echo written > /file',
    )
    await host.docker('commit writer image')
    await expectRejection(create(), Error, /keeps its layers in "stowage"/)
    await restartDockerd('overlay2')
    const before = await id()
    expect(await create()).to.match(/Upgrading/)
    expect(await id()).to.equal(before)
    expect(await sh('kept', 'cat /vol/file')).to.equal('rows\nmore')
    await restartDockerd('stowage')
    expect(await host.docker('info -f {{.Driver}}')).to.match(/^stowage/)
    const seen = 'run --rm --network=none image cat /file'
    expect(await host.docker(seen)).to.equal('written')
    await restartDockerd('overlay2')
  })

  it('leaves every volume behind when it is removed, and finds them again', async () => {
    await host.docker('plugin rm --force stowage')
    await create()
    expect(await sh('kept', 'cat /vol/file')).to.equal('rows\nmore')
  })

  it('takes the place of the service once Docker is restarted, and says so', async () => {
    await host.docker('plugin rm --force stowage')
    await host.startStowage()
    await host.docker('volume create --driver stowage served')
    await host.docker('volume rm served')
    await host.stopStowage()
    expect(await create()).to.match(/Until Docker is restarted/)
    await restartDockerd('overlay2')
    expect(await sh('kept', 'cat /vol/file')).to.equal('rows\nmore')
    expect(await host.docker('volume rm kept')).to.equal('kept')
  })

  function create(): Promise<string> {
    return createPlugin(join(host.directory, 'docker.sock'))
  }

  /** What the plugin says of its settings, a moment after it has answered. */
  async function lastServing(wanted: RegExp): Promise<string | undefined> {
    let serving: string | undefined
    for (let attempt = 0; attempt < 100; attempt++) {
      const lines = (await host.log('dockerd')).split('\n')
      serving = lines.findLast((line) => line.includes('Serving'))
      if (serving !== undefined && wanted.test(serving)) break
      await sleep(100)
    }
    expect(serving).to.match(wanted)
    return serving
  }

  async function enable(): Promise<void> {
    await host.docker('plugin enable --timeout 0 stowage')
  }

  function state(): Promise<string> {
    return host.docker('plugin inspect -f {{.Enabled}} stowage')
  }

  function id(): Promise<string> {
    return host.docker('plugin inspect -f {{.Id}} stowage')
  }

  /** The process that runs as the plugin. */
  async function pid(): Promise<number> {
    const plugin = await id()
    for (const entry of await fs.readdir('/proc')) {
      const cgroup = join('/proc', entry, 'cgroup')
      const text = await fs.readFile(cgroup, 'utf8').catch(() => '')
      if (text.includes(plugin)) return Number(entry)
    }
    return expect.fail('The plugin does not run')
  }

  async function restartDockerd(storageDriver: string): Promise<void> {
    await host.stopDockerd()
    await host.startDockerd({ storageDriver })
  }

  /** What a shell in a new container says that has `volume` at /vol. */
  function sh(volume: string, script: string): Promise<string> {
    const running = `run --rm --network=none --volume ${volume}:/vol bb sh -c`
    return host.docker(running, script)
  }
})

/** What the manifest lets an administrator change, in its order. */
async function settable(): Promise<readonly string[]> {
  const { env } = JSON.parse(await fs.readFile('config.json', 'utf8'))
  return env
    .filter((one: { settable?: unknown }) => one.settable !== undefined)
    .map((one: { name: string }) => one.name)
}
