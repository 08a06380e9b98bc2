import { expect } from 'chai'
import { setTimeout as sleep } from 'node:timers/promises'
import { needs } from '../../src/conformance/capabilities.ts'
import { importBusybox } from '../support/images.ts'
import { PrivateHost } from '../support/private-host.ts'
import { until } from '../support/until.ts'

describe('A real dockerd keeps its volumes on Stowage', function () {
  needs('root', 'docker', 'busybox')
  this.timeout(120_000)
  let host: PrivateHost

  before(async () => {
    host = await PrivateHost.open()
    await host.startStowage()
    await host.startDockerd()
    await importBusybox(host, {
      'data/from-image': 'put here by the image\n',
    })
  })
  after(() => host?.close())

  afterEach(async () => {
    for (const name of await list()) await host.docker(`volume rm ${name}`)
  })

  it('creates a volume with the mode asked for, and tells it with its options', async () => {
    await create('vol --opt mode=0750')
    const volume = await inspect('vol')
    expect(volume.Driver).to.equal('stowage')
    expect(volume.Options).to.deep.equal({ mode: '0750' })
    expect(volume.Scope).to.equal('local')
    expect(await sh('vol', 'stat -c %a /vol')).to.equal('750')
  })

  it('shows the data to the next container after restarts in either order', async () => {
    await create('vol --opt mode=0750')
    await sh('vol', 'echo first > /vol/file')

    await host.stopStowage()
    await host.stopDockerd()
    await host.startStowage()
    await host.startDockerd()
    const seen = await sh('vol', 'cat /vol/file; stat -c %a /vol')
    expect(seen).to.equal('first\n750')

    await host.stopDockerd()
    await host.stopStowage('SIGKILL')
    await host.startStowage()
    await host.startDockerd()
    expect(await sh('vol', 'cat /vol/file')).to.equal('first')
    expect((await inspect('vol')).Options).to.deep.equal({ mode: '0750' })
  })

  it('loses nothing when it is killed and started beside a running container', async () => {
    await create('vol')
    const writing = 'while true; do echo line >> /vol/log; sleep 0.05; done'
    await runDetached('writer --volume vol:/vol', 'sh', '-c', writing)
    const lines = async () =>
      (await host.docker('exec writer cat /vol/log')).split('\n').length

    await host.stopStowage('SIGKILL')
    const before = await lines()
    await host.startStowage()
    await until(async () => (await lines()) > before)
    expect(await holders('vol')).to.equal(1)
    await host.docker('rm --force writer')
    expect(await holders('vol')).to.equal(0)
  })

  it('agrees with docker volume ls, inspect and rm', async () => {
    await create('a')
    await create('b --label tier=db')
    expect((await list()).toSorted()).to.deep.equal(['a', 'b'])
    expect((await inspect('b')).Labels).to.deep.equal({ tier: 'db' })
    await host.docker('volume rm a')
    expect(await list()).to.deep.equal(['b'])
    expect(await refusal('volume inspect a')).to.match(/no such volume/i)
    expect(await refusal('volume rm a')).to.match(/no such volume/i)
  })

  it('takes up what the image has where an empty volume is mounted, once', async () => {
    await create('vol')
    const change = 'cat /data/from-image; echo changed > /data/from-image'
    const first = await run('--volume vol:/data', 'sh', '-c', change)
    expect(first).to.equal('put here by the image')
    const second = await run('--volume vol:/data', 'cat', '/data/from-image')
    expect(second).to.equal('changed')
  })

  it('leaves the volume empty with :nocopy', async () => {
    await create('vol')
    expect(await run('--volume vol:/data:nocopy', 'ls', '/data')).to.equal('')
  })

  it('counts right when docker cp comes and goes beside a running container', async () => {
    await create('vol')
    await runDetached('busy --volume vol:/vol', 'sleep', '1000')
    await host.docker('cp /etc/hostname busy:/vol/copied')
    expect(await holders('vol')).to.equal(1)
    await host.docker('cp busy:/vol/copied', `${host.directory}/copied`)
    expect(await holders('vol')).to.equal(1)
    await host.docker('exec busy sh -c', 'echo more >> /vol/copied')
    await host.docker('rm --force busy')
    expect(await holders('vol')).to.equal(0)
  })

  it('serves two containers at once, and the second when the first has gone', async () => {
    await create('vol')
    await runDetached('one --volume vol:/vol', 'sleep', '1000')
    await runDetached('two --volume vol:/vol', 'sleep', '1000')
    expect(await holders('vol')).to.equal(2)
    await host.docker('exec one sh -c', 'echo shared > /vol/file')
    await host.docker('rm --force one')
    expect(await host.docker('exec two cat /vol/file')).to.equal('shared')
    await host.docker('rm --force two')
    expect(await holders('vol')).to.equal(0)
  })

  it('removes anonymous volumes with their container, and no others', async () => {
    await create('named')
    const volumes = '--volume-driver=stowage --volume /anonymous'
    await run(`${volumes} --volume named:/vol`, 'true')
    expect(await list()).to.deep.equal(['named'])
  })

  it('can be removed after dockerd and the container were killed', async () => {
    await create('vol')
    await runDetached('dead --volume vol:/vol', 'sleep', '1000')
    const pid = await host.docker('inspect --format {{.State.Pid}} dead')
    await host.stopDockerd('SIGKILL')
    process.kill(Number(pid), 'SIGKILL')
    await host.startDockerd()
    await host.docker('start dead')
    await host.docker('rm --force dead')
    await host.docker('volume rm vol')
    expect(await list()).to.deep.equal([])
  })

  it('can be removed after a live restore with docker cp in between', async () => {
    await host.stopDockerd()
    await host.startDockerd({ args: ['--live-restore'] })
    await create('vol')
    await runDetached('alive --volume vol:/vol', 'sleep', '1000')
    await host.stopDockerd()
    await host.startDockerd({ args: ['--live-restore'] })
    await host.docker('cp /etc/hostname alive:/vol/copied')
    expect(await host.docker('exec alive ls /vol')).to.equal('copied')
    await host.docker('rm --force alive')
    await host.docker('volume rm vol')
    expect(await list()).to.deep.equal([])
    await host.stopDockerd()
    await host.startDockerd()
  })

  it('explains what is wrong with a name or an option to who typed it', async () => {
    const creation = 'volume create --driver stowage'
    expect(await refusal(creation, 'a/b')).to.match(/a\/b/)
    expect(await refusal(creation, '../../etc')).to.match(/\.\.\/\.\.\/etc/)
    expect(await refusal(creation, 'x'.repeat(256))).to.match(/255/)
    const unknown = await refusal(`${creation} --opt bogus=1 vol`)
    expect(unknown).to.match(/bogus/).and.to.match(/mode/)
    expect(await list()).to.deep.equal([])
  })

  it('keeps labels and options when a Get is cut by a crash and retried empty', async () => {
    await create('vol --label tier=db --opt mode=0750')
    // A stopped process takes the request into its socket and never answers it.
    process.kill(host.stowagePid, 'SIGSTOP')
    const cut = refusal('volume inspect vol')
    await sleep(500)
    await host.stopStowage('SIGKILL')
    await host.startStowage()
    await cut
    expect(await host.log('stowage')).to.match(/VolumeDriver\.Get/)
    const { Labels, Options } = await inspect('vol')
    expect(Labels).to.deep.equal({ tier: 'db' })
    expect(Options).to.deep.equal({ mode: '0750' })
  })

  it('survives kills at any moment of what docker asks', async () => {
    for (let round = 0; round < 10; round++) {
      const name = `vol${round}`
      const creating = create(name)
      await sleep(Math.random() * 60)
      await host.stopStowage('SIGKILL')
      await host.startStowage()
      // Docker repeats what was cut, without its body if that was read: then the
      // call fails, whether the volume was made or not.
      if (await succeeds(creating)) expect(await list()).to.deep.equal([name])
      await create(name)
      const seen = await sh(name, `echo ${round} > /vol/f; cat /vol/f`)
      expect(seen).to.equal(String(round))
      await host.docker(`volume rm ${name}`)
    }
    expect(await host.mountsBelow(host.dataRoot)).to.deep.equal([])
  })

  async function create(options: string): Promise<void> {
    await host.docker(`volume create --driver stowage ${options}`)
  }

  async function inspect(name: string): Promise<Record<string, unknown>> {
    return JSON.parse(
      await host.docker('volume inspect -f', '{{json .}}', name),
    )
  }

  async function holders(name: string): Promise<number> {
    const format = '{{.Status.holders}}'
    return Number(await host.docker('volume inspect -f', format, name))
  }

  async function list(): Promise<string[]> {
    const names = await host.docker('volume ls --quiet')
    return names.split('\n').filter(Boolean)
  }

  /** What `command` says in a new container. */
  function run(options: string, ...command: string[]): Promise<string> {
    const running = `run --rm --network=none ${options} bb`
    return host.docker(running, ...command)
  }

  /** What a shell in a new container says that has `volume` at /vol. */
  function sh(volume: string, script: string): Promise<string> {
    return run(`--volume ${volume}:/vol`, 'sh', '-c', script)
  }

  function runDetached(
    nameAndOptions: string,
    ...command: string[]
  ): Promise<string> {
    const running = `run --detach --network=none --name ${nameAndOptions} bb`
    return host.docker(running, ...command)
  }

  async function refusal(command: string, ...rest: string[]): Promise<string> {
    try {
      await host.docker(command, ...rest)
    } catch (error) {
      return String((error as { stderr?: string }).stderr)
    }
    return expect.fail(`docker ${command} ${rest.join(' ')} was not refused`)
  }
})

async function succeeds(promise: Promise<unknown>): Promise<boolean> {
  try {
    await promise
    return true
  } catch {
    return false
  }
}
