import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { SILENT } from '../../src/base/log.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { diagnose, repair } from '../../src/diagnosis/doctor.ts'
import type { Finding } from '../../src/diagnosis/finding.ts'
import { openPlace, type Place } from '../../src/diagnosis/place.ts'
import { layerProbe } from '../../src/diagnosis/probes/layer-probe.ts'
import { DockerClient } from '../../src/docker/docker-client.ts'
import { NO_PARENT } from '../../src/graph/driver.ts'
import { type InitParameters, writeInit } from '../../src/graph/init.ts'
import { openDriver } from '../../src/graph/open-driver.ts'
import {
  type LoopFilesystem,
  loopFilesystem,
} from '../support/loop-filesystem.ts'

const run = promisify(execFile)

/** Layers as dockerd keeps them, on a disk of their own: see `before`. */
describe('The doctor, of layers', () => {
  needs('root', 'loop', 'ext4')
  let disk: LoopFilesystem

  beforeEach(async () => {
    disk = await loopFilesystem('ext4', '64M')
    await fs.mkdir(join(disk.path, 'root'), { mode: 0o711 })
    await fs.mkdir(init().home, { recursive: true, mode: 0o711 })
    await writeInit(join(disk.path, 'root'), init())
    await withLayers(async (create) => {
      await create('base', NO_PARENT)
      await create('child', 'base')
      await create('forgotten', NO_PARENT)
    })
    await name('child', 'forgotten')
  })
  afterEach(() => disk?.close())

  it('finds nothing where Docker names all that there is', async () => {
    expect(await codes()).to.deep.equal([])
  })

  it('tells a layer that stands on one that is not there', async () => {
    await fs.rm(join(init().home, 'layers/base'), { recursive: true })
    const [told] = await findings()
    expect(told).to.include({ code: 'broken-layer', subject: 'child' })
    expect(told?.explanation).to.match(/stands on layer "base"/)
  })

  it('tells a layer that Docker names and nobody has', async () => {
    await name('lost')
    const [told] = await findings()
    expect(told).to.include({ code: 'missing-layer', subject: 'lost' })
    expect(told?.advice).to.match(/pull or load it again/)
  })

  it('leaves a young layer alone that Docker does not name yet', async () => {
    await unname('forgotten')
    expect(await codes()).to.deep.equal([])
  })

  it('deletes an old layer that Docker has forgotten, and no other', async () => {
    await unname('forgotten')
    await age('forgotten')
    const place = await examined()
    const found = await diagnose(place, [layerProbe])
    expect(found.map(({ subject }) => subject)).to.deep.equal(['forgotten'])
    expect(found[0]?.code).to.equal('orphan-layer')
    const [repaired] = await repair(found, place)
    expect(repaired).to.deep.equal({ finding: found[0] })
    expect(await codes()).to.deep.equal([])
    const left = await fs.readdir(join(init().home, 'layers'))
    expect(left).to.have.members(['base', 'child'])
  })

  function init(): InitParameters {
    const home = join(disk.path, 'docker/stowage')
    return { home, options: ['stowage.driver=vfs'], uidMaps: [], gidMaps: [] }
  }

  async function withLayers(
    make: (
      create: (id: string, parent: string) => Promise<void>,
    ) => Promise<void>,
  ): Promise<void> {
    const opened = await openDriver(init(), { log: SILENT })
    await make((id, parent) => opened.driver.create(id, parent))
    await opened.close()
  }

  /** Where dockerd writes down which layer an image is made of. */
  function record(id: string): string {
    return join(disk.path, 'docker/image/stowage/layerdb/sha256', id)
  }

  async function name(...ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      await fs.mkdir(record(id), { recursive: true })
      await fs.writeFile(join(record(id), 'cache-id'), id)
    }
  }

  function unname(id: string): Promise<void> {
    return fs.rm(record(id), { recursive: true })
  }

  /** Makes it older than any test: only the filesystem's own debugger can do that. */
  async function age(id: string): Promise<void> {
    const path = `/docker/stowage/layers/${id}`
    await run('umount', [disk.path])
    await run('debugfs', [
      '-w',
      '-R',
      `set_inode_field ${path} crtime 20200101000000`,
      disk.image,
    ])
    await run('mount', ['-o', 'loop', disk.image, disk.path])
  }

  function examined(): Promise<Place> {
    return openPlace({
      complaints: [],
      strangers: [],
      settings: {
        dataRoot: join(disk.path, 'root'),
        socket: join(disk.path, 'stowage.sock'),
        adminSocket: join(disk.path, 'admin.sock'),
        implements: ['graph'],
        stores: [],
      },
      docker: new DockerClient(join(disk.path, 'no-docker.sock')),
    })
  }

  async function findings(): Promise<readonly Finding[]> {
    return diagnose(await examined(), [layerProbe])
  }

  async function codes(): Promise<readonly string[]> {
    return (await findings()).map(({ code }) => code)
  }
})
