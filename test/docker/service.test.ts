import { execFile } from 'node:child_process'
import { closeSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { DockerdClient } from '../../src/conformance/dockerd-client.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { listenOn } from '../../src/linux/unix-socket.ts'
import { importBusybox } from '../support/images.ts'
import { PrivateHost } from '../support/private-host.ts'

const run = promisify(execFile)

const PROGRAM = 'usr/local/lib/stowage/current/dist/src/main.js'

/** How often the service is upgraded while it is in use. */
const UPGRADES = 2

describe('The service', function () {
  this.timeout(120_000)
  const root = useTempDir()

  it('is installed and uninstalled with all it has but the data', async () => {
    const said = await script('install', root.path)
    const before = await files(root.path)
    expect(before).to.include.members([
      PROGRAM.replace('main.js', 'daemon.js').replace(
        'current',
        releaseIn(said),
      ),
      'etc/docker/plugins/stowage.spec',
      'etc/systemd/system/docker.service.d/stowage.conf',
      'etc/systemd/system/stowage-admin.socket',
      'etc/systemd/system/stowage.service',
      'etc/systemd/system/stowage.socket',
      'usr/local/bin/stowage',
    ])
    const { version } = JSON.parse(await fs.readFile('package.json', 'utf8'))
    const { stdout } = await run(process.execPath, [
      join(root.path, PROGRAM),
      '--version',
    ])
    expect(stdout).to.equal(`${version}\n`)

    await fs.mkdir(join(root.path, 'var/lib/stowage/volumes'), {
      recursive: true,
    })
    const undone = await script('uninstall', root.path)
    expect(undone).to.match(/Left as it is: \/var\/lib\/stowage/)
    expect(await files(root.path)).to.deep.equal([])
    await fs.access(join(root.path, 'var/lib/stowage/volumes'))
  })

  describe('that is upgraded while containers use it', () => {
    needs('root', 'docker', 'busybox')
    let host: PrivateHost
    let descriptor: number

    beforeEach(async () => {
      host = await PrivateHost.open()
      await fs.mkdir(join(host.socket, '..'), { recursive: true })
      descriptor = listenOn(host.socket, 0o660)
    })
    afterEach(async () => {
      await host?.close()
      closeSync(descriptor)
    })

    it('lets no call fail, of Docker’s or of anybody’s', async () => {
      await start()
      await host.startDockerd()
      await importBusybox(host)
      await host.docker('volume create --driver stowage kept')
      await host.docker(
        'run --detach --network=none --name user --volume kept:/vol bb sh -c',
        'while true; do echo line >> /vol/log; sleep 0.1; done',
      )
      const over = new AbortController()
      const calls = async (): Promise<number> => {
        const docker = new DockerdClient(host.socket)
        let count = 0
        for (; !over.signal.aborted; count++) {
          const Name = `v${count}`
          await docker.call('VolumeDriver.Create', { Name, Opts: {} })
          await docker.call('VolumeDriver.Get', { Name })
          await docker.call('VolumeDriver.Remove', { Name })
        }
        docker.close()
        return count
      }
      const containers = async (): Promise<number> => {
        let count = 0
        for (; !over.signal.aborted; count++) {
          const running = 'run --rm --network=none --volume kept:/vol bb'
          expect(await host.docker(`${running} echo fine`)).to.equal('fine')
        }
        return count
      }
      const made = Promise.all([calls(), containers()])
      for (let upgrade = 0; upgrade < UPGRADES; upgrade++) {
        const installed = script('install', root.path)
        await Promise.race([installed, made])
        await host.stopStowage()
        await start()
      }
      over.abort()
      const [called, started] = await made
      console.log(
        `      ${called} volumes and ${started} containers, no failure`,
      )
      const lines = await host.docker('exec user cat /vol/log')
      expect(lines.split('\n').length).to.be.above(10)
      await host.docker('rm --force user')
    })

    async function start(): Promise<void> {
      if (!(await exists(join(root.path, PROGRAM)))) {
        await script('install', root.path)
      }
      const program = join(root.path, PROGRAM)
      await host.startStowage({}, { program, descriptor })
    }
  })
})

/** What `plugin/<name>` says that works below `root`. */
async function script(name: string, root: string): Promise<string> {
  const { stdout } = await run(`plugin/${name}`, ['--root', root])
  return stdout
}

/** The release that an installation names, as it stands below the others' folder. */
function releaseIn(said: string): string {
  return /releases\/\S+/.exec(said)?.[0] ?? ''
}

/** All files below `root`, but for what packages bring. */
async function files(root: string): Promise<readonly string[]> {
  const entries = await fs.readdir(root, {
    recursive: true,
    withFileTypes: true,
  })
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) =>
      join(parentPath, name).slice(root.length + 1),
    )
    .filter((path) => !path.includes('node_modules'))
}

async function exists(path: string): Promise<boolean> {
  return (await fs.stat(path).catch(() => undefined)) !== undefined
}
