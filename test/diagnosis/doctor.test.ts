import { execFile, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import type { Server } from 'node:http'
import * as net from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { SILENT } from '../../src/base/log.ts'
import { diagnose, repair } from '../../src/diagnosis/doctor.ts'
import {
  type Finding,
  type FindingCode,
  FINDINGS,
} from '../../src/diagnosis/finding.ts'
import { openPlace, type Place } from '../../src/diagnosis/place.ts'
import { DockerClient } from '../../src/docker/docker-client.ts'
import { listenOn } from '../../src/linux/unix-socket.ts'
import { mount } from '../../src/linux/mount.ts'
import { lockRoot } from '../../src/state/root-lock.ts'
import { VolumeLookupCache } from '../../src/volume/volume-lookup-cache.ts'
import { parseStoreSpecs, storeSource } from '../../src/volume/volume-stores.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { type DockerFacts, serveDocker } from '../support/docker-api.ts'
import { useLoopFilesystem } from '../support/loop-filesystem.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

const run = promisify(execFile)
const MAIN = join(import.meta.dirname, '../../src/main.js')

/** What an installation without any fault has to say on a machine without Docker. */
const USUAL: readonly FindingCode[] = ['not-running', 'docker-away']

describe('The doctor', () => {
  needs('root', 'loop', 'ext4')
  const directory = useTempDir()
  let stores: string
  let dockerServer: Server | undefined
  beforeEach(() => {
    stores = 'default=local:'
  })
  afterEach(() => {
    dockerServer?.close()
    dockerServer = undefined
  })

  it('finds nothing where nothing is wrong', async () => {
    await volumes('db')
    expect(await codes()).to.deep.equal([])
  })

  it('says of a new machine that there is nothing yet', async () => {
    expect(await codes()).to.deep.equal(['new-data-root'])
  })

  it('names a setting that is not valid, and one that is none', async () => {
    await volumes()
    const place = await examined({
      complaints: ['STOWAGE_SCOPE="world" is not valid: give one of local'],
      strangers: ['STOWAGE_STORE'],
    })
    expectTold(await diagnose(place), 'bad-setting', /STOWAGE_SCOPE="world"/)
    expectTold(await diagnose(place), 'unknown-setting', /misspelling/)
  })

  it('removes a socket that nobody answers at', async () => {
    await volumes()
    // Nobody has the descriptor any more, as after a kill.
    await fs.mkdir(join(directory.path, 'run'))
    closeSync(listenOn(socketPath(), 0o660))
    await expectFixed('stale-socket', /Docker asks there for 15 s/)
  })

  it('tells what is no socket, and leaves it alone', async () => {
    await volumes()
    await fs.mkdir(socketPath(), { recursive: true })
    expectTold(await findings(), 'not-a-socket', /move it away/)
  })

  it('closes a socket that lets in everybody', async () => {
    await volumes()
    await fs.mkdir(join(directory.path, 'run'))
    const server = net.createServer().listen(socketPath())
    try {
      await fs.chmod(socketPath(), 0o666)
      await expectFixed('open-socket', /commands the host's storage/)
    } finally {
      server.close()
    }
  })

  it('tells that Docker takes an admin socket among plugins for a plugin', async () => {
    await volumes()
    const adminSocket = '/run/docker/plugins/doctor-test.sock'
    const place = await examined({}, { adminSocket })
    expectTold(await diagnose(place), 'socket-among-plugins', /elsewhere/)
  })

  it('closes a data root that others may list', async () => {
    await volumes()
    await fs.chmod(dataRoot(), 0o755)
    await expectFixed('open-data-root', /other users may list/)
  })

  it('tells a data root that cannot be written', async () => {
    await volumes()
    mount({ type: 'bind', source: dataRoot(), options: ['ro'] }, dataRoot())
    expectTold(await findings(), 'read-only-data-root', /dmesg/)
  })

  it('tells a data root of a newer Stowage', async () => {
    await volumes()
    await fs.writeFile(join(dataRoot(), 'format'), 'stowage 99\n')
    expectTold(await findings(), 'foreign-data-root', /edition 99/)
  })

  it('tells a store whose disk is away, and counts what it held', async () => {
    await volumes('db', 'web')
    await fs.rename(store(), `${store()}.away`)
    expectTold(await findings(), 'store-away', /had 2 volumes.*not mounted/)
  })

  it('tells a store that is of another kind than it is set to be', async () => {
    await volumes('db')
    stores = 'default=loop:'
    expectTold(await findings(), 'store-foreign', /store of kind local/)
  })

  it('tells a btrfs store that is not on btrfs', async () => {
    await volumes()
    stores = 'default=local: fast=btrfs:'
    expectTold(await findings(), 'store-cannot', /kind local or loop/)
  })

  it('tells a program that a store needs and the machine lacks', async () => {
    await volumes()
    stores = 'default=local: disk=loop:'
    const path = process.env.PATH
    try {
      process.env.PATH = directory.path
      expectTold(await findings(), 'missing-program', /apt-get install/)
    } finally {
      process.env.PATH = path
    }
  })

  it('sweeps what was half made', async () => {
    await volumes('db')
    await fs.mkdir(join(store(), 'new-0123456789abcdef/data'), {
      recursive: true,
    })
    await expectFixed('leftover', /half made/)
    expect(await fs.readdir(join(store(), 'volumes'))).to.deep.equal(['db'])
  })

  it('tells what is among the volumes and is none', async () => {
    await volumes('db')
    await fs.writeFile(join(store(), 'volumes/notes.txt'), 'mine')
    expectTold(await findings(), 'stray-entry', /left alone/)
  })

  it('brings back a volume whose record was cut, and keeps the record', async () => {
    await volumes('db')
    const volume = join(store(), 'volumes/db')
    await fs.writeFile(join(volume, 'data/file'), 'precious')
    await fs.truncate(join(volume, 'volume.json'), 20)
    await fs.rm(join(volume, 'volume.json.copy'))
    await expectFixed('damaged-record', /Its files are there/)
    const [aside] = (await fs.readdir(volume)).filter((name) =>
      name.includes('damaged'),
    )
    expect((await fs.stat(join(volume, aside!))).size).to.equal(20)
    const cache = await open()
    expect(cache.get('db').options.protect).to.equal(true)
    await cache.close()
  })

  it('writes a record for a volume that has lost it', async () => {
    await volumes('db')
    await fs.rm(join(store(), 'volumes/db/volume.json'))
    await expectFixed('damaged-record', /its record is missing/)
  })

  it('writes a record anew from its copy', async () => {
    await volumes('db')
    const record = join(store(), 'volumes/db/volume.json')
    const text = await fs.readFile(record, 'utf8')
    await fs.truncate(record, 20)
    await expectFixed('damaged-record', /Its files are there/)
    expect(await fs.readFile(record, 'utf8')).to.equal(text)
  })

  it('tells a volume whose files are gone', async () => {
    await volumes('db')
    await fs.rm(join(store(), 'volumes/db/data'), { recursive: true })
    expectTold(await findings(), 'lost-files', /backup or a snapshot/)
  })

  it('knows where the files of an adopted volume are, and tells when they are not', async () => {
    const photos = join(directory.path, 'photos')
    await fs.mkdir(photos)
    await fs.mkdir(dataRoot(), { mode: 0o711 })
    const cache = await open()
    await cache.adopt('photos', photos, {})
    await cache.close()
    expect(await codes()).to.deep.equal([])
    await fs.rmdir(photos)
    expectTold(await findings(), 'lost-files', /photos" does not exist/)
  })

  it('tells a volume that two stores have', async () => {
    stores = 'default=local: other=local:'
    await volumes('db')
    await fs.cp(store(), join(dataRoot(), 'volumes/other'), { recursive: true })
    expectTold(await findings(), 'twin-volumes', /more than one store/)
  })

  it('unmounts a volume that nobody holds', async () => {
    stores = 'default=loop:?capacity=8MiB'
    await volumes('db')
    const source = storeSource(parseStoreSpecs(stores)[0]!, {
      dataRoot: dataRoot(),
      log: SILENT,
    })
    const storer = await source.open({ isKnown: true })
    await storer.mount('db')
    await storer.close()
    await expectFixed('leftover-mount', /no record holds it/)
  })

  it('tells what else is mounted in a volume, and leaves it alone', async () => {
    await volumes('db')
    const inside = join(store(), 'volumes/db/data/inside')
    await fs.mkdir(inside)
    mount({ type: 'tmpfs', source: 'tmpfs', options: [] }, inside)
    expectTold(await findings(), 'foreign-mount', /of type tmpfs/)
  })

  it('frees a loop device that shows an image of ours for nobody', async () => {
    stores = 'default=loop:?capacity=8MiB'
    await volumes('db')
    const image = join(store(), 'volumes/db/image.ext4')
    await run('losetup', ['--find', image])
    await expectFixed('leftover-loop', /keeps the image's room/)
  })

  it('drops the hold of a container that is no more, and unmounts', async () => {
    stores = 'default=loop:?capacity=8MiB'
    await volumes('db')
    const cache = await open()
    await cache.mount('db', 'ab'.repeat(32))
    await cache.close()
    await docker({ version: '20.10.24' })
    await expectFixed('stale-hold', /held by abababababab, and Docker has no/)
    expect(await codes()).to.deep.equal([])
  })

  it('tells a container that needs a volume which is not there', async () => {
    await volumes('db')
    const point = { Type: 'volume', Driver: 'stowage' }
    await docker({
      version: '20.10.24',
      containers: [
        {
          Id: 'c',
          Names: ['/keeper'],
          State: 'exited',
          Mounts: [
            { ...point, Name: 'db' },
            { ...point, Name: 'gone' },
          ],
        },
      ],
    })
    const told = expectTold(await findings(), 'missing-volume', /trash ls/)
    expect(told.subject).to.equal('gone')
  })

  it('tells that the plugin is installed and disabled', async () => {
    await volumes()
    const Config = { Interface: { Socket: 'stowage.sock' } }
    const plugin = { Id: 'p', Name: 'stowage:latest', Enabled: false, Config }
    await docker({ version: '20.10.24', plugins: [plugin] })
    expectTold(await findings(), 'plugin-disabled', /plugin enable stowage:/)
  })

  it('tells which Docker keeps no layers here, and what that takes', async () => {
    await volumes()
    await docker({ version: '20.10.24' })
    expect(await codes()).to.deep.equal([])
    await docker({ version: '20.10.24', experimental: false })
    expectTold(await findings(), 'docker-without-layers', /--experimental/)
    await docker({ version: '28.0.1' })
    expectTold(await findings(), 'docker-without-layers', /IMPLEMENTS=volume/)
    await docker({ version: '27.5.0' })
    expectTold(
      await findings(),
      'docker-needs-variable',
      /DOCKERD_DEPRECATED_GRAPHDRIVER_PLUGINS=1/,
    )
  })

  it('tells a kernel without overlay, and without loop devices', async () => {
    await volumes()
    const none = join(directory.path, 'filesystems')
    await fs.writeFile(none, 'nodev\tsysfs\n\text4\n')
    const { findings: found } = await doctorAfter(
      `mount --bind ${none} /proc/filesystems && mount --bind /dev/null /dev/loop-control`,
    )
    expectTold(found, 'no-overlay', /kept as whole copies.*modprobe overlay/)
    expectTold(found, 'no-loop-devices', /modprobe loop/)
  })

  it('finds nothing that is not planted here', async () => {
    const here = 'test/diagnosis'
    const names = await fs.readdir(here)
    const tests = await Promise.all(
      names.map((name) => fs.readFile(join(here, name), 'utf8')),
    )
    const all = Object.keys(FINDINGS)
    const planted = all.filter((code) => tests.join('').includes(`'${code}'`))
    expect(planted).to.deep.equal(all)
  })

  it('lets one probe fail and tells the others', async () => {
    await volumes()
    await fs.chmod(dataRoot(), 0o755)
    const place = await examined()
    const failing = {
      name: 'something',
      run: () => Promise.reject(new Error('it hangs')),
    }
    const found = await diagnose(place, [failing])
    expectTold(found, 'probe-failed', /it hangs/)
  })

  it('leaves alone what a running daemon owns', async () => {
    await volumes('db')
    await fs.mkdir(join(store(), 'new-0123456789abcdef'))
    const place = await examined()
    const found = await diagnose(place)
    const daemon = await lockRoot(dataRoot(), SILENT)
    const [result] = await repair(found, place)
    await daemon.release()
    expect(result?.failure).to.match(/stop it first/)
    expect(await fs.readdir(store())).to.include('new-0123456789abcdef')
  })

  describe('on a small disk', () => {
    const disk = useLoopFilesystem('ext4', '16M')

    it('tells that it is filling, and then full', async () => {
      await onDisk()
      const { blocks, bavail, bsize } = await fs.statfs(disk.path)
      const ballast = join(disk.path, 'ballast')
      const spare = Math.floor(blocks * 0.05)
      await run('fallocate', ['-l', String((bavail - spare) * bsize), ballast])
      expectTold(await findings(), 'disk-filling', /No space left/)
      await fs.writeFile(ballast, Buffer.alloc((spare - 1) * bsize), {
        flag: 'a',
      })
      expectTold(await findings(), 'disk-full', /trash empty/)
      await fs.rm(ballast)
    })

    it('tells that few more files can be made, and then none', async () => {
      await onDisk()
      const { files: all, ffree } = await fs.statfs(disk.path)
      const files = join(disk.path, 'files')
      await fs.mkdir(files)
      const fill = async (from: number, to: number): Promise<void> => {
        for (let i = from; i < to; i++) {
          await fs.writeFile(join(files, String(i)), '')
        }
      }
      const filling = ffree - 1 - Math.floor(all * 0.05)
      await fill(0, filling)
      expectTold(await findings(), 'inodes-filling', /no file can be made/)
      await fill(filling, ffree - 1)
      expectTold(await findings(), 'inodes-out', /no file can be made/)
      await fs.rm(files, { recursive: true })
    })

    async function onDisk(): Promise<void> {
      stores = `default=local:${disk.path}/store`
      await volumes()
    }
  })

  /** A Docker that answers, instead of none, until the end of the test. */
  async function docker(
    facts: Omit<DockerFacts, 'rootDirectory'>,
  ): Promise<void> {
    dockerServer?.close()
    const rootDirectory = join(directory.path, 'docker')
    const path = dockerSocket()
    dockerServer = await serveDocker(path, { ...facts, rootDirectory })
  }

  /** What the command finds where `script` has changed what it sees of the kernel. */
  async function doctorAfter(
    script: string,
  ): Promise<{ findings: readonly Finding[] }> {
    const examine = `${script} && exec "${process.execPath}" "${MAIN}" doctor --json`
    const child = spawn(
      'unshare',
      ['--mount', '--propagation=private', 'sh', '-c', examine],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: {
          PATH: process.env.PATH,
          STOWAGE_DATA_ROOT: dataRoot(),
          STOWAGE_SOCKET: socketPath(),
          STOWAGE_ADMIN_SOCKET: join(directory.path, 'run/admin.sock'),
          STOWAGE_STORES: 'default=local: disk=loop:',
          DOCKER_HOST: `unix://${dockerSocket()}`,
        },
      },
    )
    const told: { findings: readonly Finding[] } = Object(
      await json(child.stdout),
    )
    return told
  }

  function dockerSocket(): string {
    return join(directory.path, 'docker.sock')
  }

  function dataRoot(): string {
    return join(directory.path, 'root')
  }

  function store(): string {
    return join(dataRoot(), 'volumes/default')
  }

  function socketPath(): string {
    return join(directory.path, 'run/stowage.sock')
  }

  /** An installation whose daemon has made volumes of these names, and ended. */
  async function volumes(...names: readonly string[]): Promise<void> {
    await fs.mkdir(dataRoot(), { recursive: true, mode: 0o711 })
    const cache = await open()
    for (const name of names) await cache.create(name, {})
    await cache.close()
  }

  async function open(): Promise<VolumeLookupCache> {
    const cache = await VolumeLookupCache.open({
      dataRoot: dataRoot(),
      stores: parseStoreSpecs(stores).map((spec) =>
        storeSource(spec, { dataRoot: dataRoot(), log: SILENT }),
      ),
      log: SILENT,
    })
    await cache.opened()
    return cache
  }

  function examined(
    told: Partial<Pick<Place, 'complaints' | 'strangers'>> = {},
    settings: { readonly adminSocket?: string } = {},
  ): Promise<Place> {
    return openPlace({
      complaints: [],
      strangers: [],
      ...told,
      settings: {
        dataRoot: dataRoot(),
        socket: socketPath(),
        adminSocket: join(directory.path, 'run/admin.sock'),
        implements: ['volume', 'graph'],
        stores: parseStoreSpecs(stores),
        ...settings,
      },
      docker: new DockerClient(dockerSocket()),
    })
  }

  async function findings(): Promise<readonly Finding[]> {
    return diagnose(await examined())
  }

  /** What it finds besides what is usual here. */
  async function codes(): Promise<readonly FindingCode[]> {
    const found = (await findings()).map(({ code }) => code)
    return found.filter((code) => !USUAL.includes(code))
  }

  async function expectFixed(code: FindingCode, text: RegExp): Promise<void> {
    const place = await examined()
    const found = await diagnose(place)
    const told = expectTold(found, code, text)
    expect(told.repair).to.not.equal(undefined)
    const failures = (await repair(found, place)).flatMap(
      ({ failure }) => failure ?? [],
    )
    expect(failures).to.deep.equal([])
    expect(await codes()).to.not.include(code)
  }
})

function expectTold(
  found: readonly Finding[],
  code: FindingCode,
  text: RegExp,
): Finding {
  const told = found.find((one) => one.code === code)
  if (told === undefined) {
    return expect.fail(
      `${code} is not among ${JSON.stringify(found, undefined, 1)}`,
    )
  }
  expect(`${told.explanation} ${told.advice}`).to.match(text)
  expect(told.severity).to.equal(FINDINGS[code][0])
  return told
}
