import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { forgeTar } from '../../src/conformance/forge-tar.ts'
import { portray } from '../../src/conformance/tree.ts'
import { mknod } from '../../src/linux/mknod.ts'
import { amount, tell } from '../support/campaign.ts'
import { type DaemonProcess, useDaemons } from '../support/daemon-process.ts'
import { useLoopFilesystem } from '../support/loop-filesystem.ts'
import { buildOutside, outsideOf } from '../support/outside.ts'
import type { Swapping } from '../support/symlink-swapper.ts'

/** How often a container and the daemon race for the same paths, with each driver. */
const RACES = amount('STOWAGE_RACES', 3)
const FILES = amount('STOWAGE_FILES', 2000)
/** Where a child copies all of them, or holds them in one filesystem of some GiB. */
const MOST_COPIED = 50_000

/** What stands in each file of the host, and must never be read or written over. */
const SECRET = `secret-${randomBytes(8).toString('hex')}`

const SWAPPER = new URL('../support/symlink-swapper.js', import.meta.url)

describeContainers('overlay')
describeContainers('vfs')
describeContainers('btrfs')

function describeContainers(driver: string): void {
  describe(`A container that owns a layer on ${driver}, or a volume`, function () {
    needs('root', 'overlay')
    this.timeout(120_000 + RACES * 20_000 + FILES * 2)
    const disk = driver === 'btrfs' ? useLoopFilesystem('btrfs') : undefined
    const place = useDaemons(disk && (() => disk.path))
    let daemon: DaemonProcess
    let before: unknown
    const outside = () => outsideOf(place.path)

    beforeEach(async () => {
      before = await buildOutside(place.path, SECRET)
      daemon = await place.start({
        settings: { STOWAGE_GRAPH_DRIVER: driver },
      })
      await call('Init', { Home: join(place.path, 'home') })
      await call('Create', { ID: 'base' })
      const tar = forgeTar(
        { name: 'swapped', type: '5' },
        { name: 'swapped/file', content: 'harmless' },
        { name: 'swapped/deep', type: '5' },
        { name: 'swapped/deep/file', content: 'harmless' },
      )
      await daemon.docker.applyDiff('base', '', tar)
    })

    const call = (method: string, fields: object) =>
      daemon.docker.call(`GraphDriver.${method}`, { ...fields })

    const isUnharmed = async (): Promise<void> => {
      expect(await portray(outside())).to.deep.equal(before)
      expect(await daemon.docker.call('Plugin.Activate')).to.have.property(
        'Implements',
      )
    }

    it(`reads, writes and removes nothing outside by exchanging directories for links, ${RACES} times`, async () => {
      let read = 0
      for (let race = 0; race < RACES; race++) {
        const ID = `racing${race}`
        await call('Create', { ID, Parent: 'base' })
        const { Dir: path } = await call('Get', { ID })
        const swapped = join(String(path), 'swapped')
        await fs.writeFile(join(swapped, 'own'), 'harmless')
        const swapper = await swap({ directory: swapped, target: outside() })
        for (let times = 0; times < 5; times++) {
          read += await readDiff(daemon, ID)
          await whatever(call('Changes', { ID, Parent: 'base' }))
          await whatever(call('DiffSize', { ID, Parent: 'base' }))
        }
        // A copy of it, while it changes.
        await whatever(call('Create', { ID: `${ID}-child`, Parent: ID }))
        const tar = forgeTar(
          { name: 'swapped/file', content: 'overwritten' },
          { name: 'swapped/deep/new', content: 'new' },
          { name: 'swapped/.wh.deep' },
        )
        await whatever(daemon.docker.applyDiff(ID, 'base', tar))
        await call('Remove', { ID: `${ID}-child` })
        await call('Remove', { ID })
        await call('Cleanup', {})
        await swapper.terminate()
        await isUnharmed()
      }
      tell(
        `Containers, races on ${driver}`,
        `${RACES} layers raced for, ${read} bytes of tars read, nothing outside touched`,
      )
    })

    it('has a volume removed while it exchanges directories for links', async () => {
      const { docker } = daemon
      for (let race = 0; race < RACES; race++) {
        const Name = `racing${race}`
        await docker.call('VolumeDriver.Create', { Name, Opts: {} })
        const { Mountpoint: path } = await docker.call('VolumeDriver.Mount', {
          Name,
          ID: 'i',
        })
        const swapped = join(String(path), 'swapped')
        await fs.mkdir(join(swapped, 'deep'), { recursive: true })
        for (let at = 0; at < 200; at++) {
          await fs.writeFile(join(swapped, 'deep', `file${at}`), '')
        }
        const swapper = await swap({ directory: swapped, target: outside() })
        await docker.call('VolumeDriver.Unmount', { Name, ID: 'i' })
        await docker.call('VolumeDriver.Remove', { Name })
        await swapper.terminate()
        await isUnharmed()
      }
      expect(await daemon.stop()).to.include({ code: 0 })
    })

    it('stops nobody with pipes, devices, giants without content, and names of any bytes', async () => {
      const ID = 'odd'
      await call('Create', { ID, Parent: 'base' })
      const { Dir: path } = await call('Get', { ID })
      const root = Buffer.from(`${String(path)}/`)
      mknod(join(String(path), 'pipe'), 'fifo', 0o666)
      mknod(join(String(path), 'disk'), 'block', 0o666, { major: 8, minor: 0 })
      for (const bytes of [
        [0xff, 0xfe],
        [0x0a],
        [0x20, 0x22, 0x27],
        [0x2a, 0x3a, 0x5c],
      ]) {
        await fs.writeFile(Buffer.concat([root, Buffer.from(bytes)]), 'odd')
      }
      await fs.symlink('/etc/shadow', join(String(path), 'absolute'))
      await fs.symlink(
        '../'.repeat(40) + outside(),
        join(String(path), 'upwards'),
      )
      expect(await readDiff(daemon, ID)).to.be.above(0)
      await call('DiffSize', { ID, Parent: 'base' })
      const giant = await fs.open(join(String(path), 'giant'), 'w')
      await giant.truncate(2 ** 40)
      await giant.close()
      const tar = await daemon.docker.diff({ ID, Parent: 'base' })
      let length = 0
      for await (const chunk of tar)
        if ((length += chunk.length) > 2 ** 22) break
      await fs.rm(join(String(path), 'giant'))
      await call('Create', { ID: 'odd-child', Parent: ID })

      await isUnharmed()
      for (const gone of ['odd-child', ID]) await call('Remove', { ID: gone })
      await call('Cleanup', {})
      expect(await daemon.stop()).to.include({ code: 0 })
    })

    const files = driver === 'overlay' ? FILES : Math.min(FILES, MOST_COPIED)
    it(`may have ${files} files`, async () => {
      const ID = 'many'
      await call('Create', { ID, Parent: 'base' })
      const { Dir: path } = await call('Get', { ID })
      for (let at = 0; at < files; at += 1000) {
        const folder = join(String(path), `folder${at}`)
        await fs.mkdir(folder)
        const count = Math.min(1000, files - at)
        await Promise.all(
          Array.from({ length: count }, (_, one) =>
            fs.writeFile(join(folder, `${one}`), ''),
          ),
        )
      }
      const began = performance.now()
      const bytes = await readDiff(daemon, ID)
      const seconds = (performance.now() - began) / 1000
      expect(bytes).to.be.above(files * 512)
      await call('Remove', { ID })
      await call('Cleanup', {})
      await isUnharmed()
      expect(await daemon.stop()).to.include({ code: 0 })
      tell(
        `Containers, many files on ${driver}`,
        `${files} files as a tar in ${seconds.toFixed(1)} s`,
      )
    })
  })
}

async function swap(swapping: Swapping): Promise<Worker> {
  const worker = new Worker(SWAPPER, { workerData: swapping })
  await once(worker, 'online')
  return worker
}

/** Reads the tar of a layer, in which nothing of the host may be. Answers its length. */
async function readDiff(
  { docker }: DaemonProcess,
  ID: string,
): Promise<number> {
  let length = 0
  let tail = ''
  try {
    for await (const chunk of await docker.diff({ ID, Parent: 'base' })) {
      const text = tail + (chunk as Buffer).toString('latin1')
      expect(text.includes(SECRET), 'the secret is in the tar').to.equal(false)
      tail = text.slice(-SECRET.length)
      length += (chunk as Buffer).length
    }
  } catch (error) {
    if (error instanceof Error && error.name === 'AssertionError') throw error
  }
  return length
}

/** Either is right: what changes under its hands may be refused. */
async function whatever(asked: Promise<unknown>): Promise<void> {
  await asked.catch(() => undefined)
}
