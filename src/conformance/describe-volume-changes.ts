import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { InUseError, InvalidArgumentError } from '../base/errors.ts'
import { mount } from '../linux/mount.ts'
import {
  VolumeExistsError,
  VolumeNotFoundError,
} from '../volume/volume-errors.ts'
import type { Volume } from '../volume/volume.ts'
import type { VolumeSuite } from './describe-volume-abilities.ts'
import { expectRejection } from './expect-rejection.ts'

const CAPACITY = 128 << 20

/** Other names and other capacities, of a store that gives them. */
export function describeVolumeChanges(suite: VolumeSuite): void {
  const { create, reopen } = suite

  const write = async (volume: string, text: string): Promise<void> => {
    await fs.writeFile(join(await suite.store.mount(volume), 'table'), text)
    await suite.store.unmount(volume)
  }

  /** Runs `check` where the store renames volumes; elsewhere it says why not. */
  const can = async (
    check: (
      rename: (name: string, to: string) => Promise<Volume>,
    ) => Promise<void>,
  ): Promise<void> => {
    if (suite.store.capabilities.rename !== true) return
    await check((from, to) => {
      if (suite.store.rename === undefined) throw new Error('It cannot rename')
      return suite.store.rename(from, to)
    })
  }

  describe('renaming', () => {
    it('keeps the volume as it is, but for its name', async () => {
      await can(async (rename) => {
        const before = await create('db', { 'label.team': 'blue' })
        await write('db', 'rows')
        await suite.store.snapshots?.create('db', 'monday')
        const { createdAt, options, snapshots } = await suite.store.get('db')
        const after = await rename('db', 'base')
        expect(after).to.deep.include({ createdAt, options, snapshots })
        expect(after.name).to.equal('base')
        expect(after.mountpoint).to.not.equal(before.mountpoint)
        await reopen()
        const { volumes, problems } = await suite.store.list()
        expect({ volumes, problems }).to.deep.equal({
          volumes: [after],
          problems: [],
        })
        await create('db')
      })
    })

    it('takes no name that is taken, and finds no volume that is not there', async () => {
      await can(async (rename) => {
        const db = await create('db')
        const other = await create('other')
        await expectRejection(rename('db', 'other'), VolumeExistsError)
        await expectRejection(rename('absent', 'new'), VolumeNotFoundError)
        expect((await suite.store.list()).volumes).to.have.deep.members([
          db,
          other,
        ])
      })
    })
  })

  it('keeps its hands off what others have mounted in a volume', async () => {
    const { snapshots, capabilities } = suite.store
    if (capabilities.ownership !== true) return
    await create('db')
    const taken = await snapshots?.create('db', 'monday')
    const inside = join(await suite.store.mount('db'), 'inside')
    const outside = join(suite.directory.path, 'outside')
    await fs.mkdir(inside)
    await fs.mkdir(outside)
    await fs.writeFile(join(outside, 'precious'), '')
    mount({ type: 'bind', source: outside, options: [] }, inside)
    if (capabilities.rename === true) {
      const renaming = suite.store.rename?.('db', 'other')
      await expectRejection(Promise.resolve(renaming), InUseError, /inside/)
    }
    if (taken !== undefined) {
      const back = snapshots?.rollback('db', 'monday', 'saved')
      await expectRejection(Promise.resolve(back), InUseError, /inside/)
    }
    expect(await fs.readdir(inside)).to.deep.equal(['precious'])
    expect((await suite.store.get('db')).snapshots).to.have.length(
      taken?.snapshots.length ?? 0,
    )
  })

  describe('another capacity', () => {
    it('holds at once, or when it says, and for the next process', async () => {
      if (suite.store.capabilities.grow !== true) return
      await create('db', { capacity: String(CAPACITY) })
      expect(await suite.store.get('db')).to.include({ capacity: CAPACITY })
      const resized = await suite.store.resize?.('db', 2 * CAPACITY)
      expect(resized?.volume.capacity).to.equal(2 * CAPACITY)
      await reopen()
      expect(await suite.store.get('db')).to.deep.equal(resized?.volume)
      const path = await suite.store.mount('db')
      await fs.writeFile(
        join(path, 'large'),
        Buffer.alloc(Math.ceil(CAPACITY * 1.2), 1),
      )
      await suite.store.unmount('db')
    })

    it('may be less, down to what the volume holds', async () => {
      if (suite.store.capabilities.shrink !== true) return
      await create('db', { capacity: String(2 * CAPACITY) })
      await write('db', 'rows')
      await suite.store.resize?.('db', CAPACITY)
      const path = await suite.store.mount('db')
      const large = Buffer.alloc(Math.ceil(CAPACITY * 1.2), 1)
      await expectRejection(fs.writeFile(join(path, 'large'), large), Error)
      expect(await fs.readFile(join(path, 'table'), 'utf8')).to.equal('rows')
    })

    it('is none that cannot be, and then the old one stays', async () => {
      if (suite.store.capabilities.shrink !== true) return
      await create('db', { capacity: String(2 * CAPACITY) })
      const path = await suite.store.mount('db')
      const large = Buffer.alloc(Math.ceil(CAPACITY * 1.2), 1)
      await fs.writeFile(join(path, 'large'), large)
      await suite.store.unmount('db')
      await expectRejection(
        Promise.resolve(suite.store.resize?.('db', CAPACITY)),
        InvalidArgumentError,
      )
      expect(await suite.store.get('db')).to.include({ capacity: 2 * CAPACITY })
    })
  })
}
