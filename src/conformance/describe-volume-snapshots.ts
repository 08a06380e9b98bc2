import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import type { StoreSnapshots } from '../volume/store-snapshots.ts'
import {
  SnapshotExistsError,
  SnapshotNotFoundError,
  VolumeNotFoundError,
} from '../volume/volume-errors.ts'
import type { VolumeSuite } from './describe-volume-abilities.ts'
import { expectRejection } from './expect-rejection.ts'

/** The contract of {@link StoreSnapshots}, of a store that has them. */
export function describeVolumeSnapshots(suite: VolumeSuite): void {
  const { create, reopen } = suite

  const write = async (volume: string, text: string): Promise<void> => {
    await fs.writeFile(join(await suite.store.mount(volume), 'table'), text)
    await suite.store.unmount(volume)
  }

  const read = async (volume: string): Promise<string> => {
    const path = await suite.store.mount(volume)
    const text = await fs.readFile(join(path, 'table'), 'utf8')
    await suite.store.unmount(volume)
    return text
  }

  const namesOf = async (volume: string): Promise<readonly string[]> =>
    (await suite.store.get(volume)).snapshots.map((snapshot) => snapshot.name)

  /** Runs `check` where the store has snapshots; elsewhere it says why not. */
  const have = async (
    check: (snapshots: StoreSnapshots) => Promise<void>,
  ): Promise<void> => {
    const { snapshots } = suite.store
    expect(snapshots !== undefined).to.equal(
      suite.store.capabilities.snapshots === true,
    )
    if (snapshots !== undefined) await check(snapshots)
  }

  describe('snapshots', () => {
    it('are listed with their volume, from when they are taken', async () => {
      await have(async (snapshots) => {
        const { snapshots: none } = await create('db')
        expect(none).to.deep.equal([])
        await write('db', 'rows')
        const before = Date.now()
        const volume = await snapshots.create('db', 'monday')
        expect(volume.snapshots.map((it) => it.name)).to.deep.equal(['monday'])
        const [taken] = volume.snapshots
        expect(Date.parse(taken?.createdAt ?? '')).to.be.within(
          before - 1,
          Date.now(),
        )
        expect(await suite.store.get('db')).to.deep.equal(volume)
        await reopen()
        expect((await suite.store.list()).volumes).to.deep.equal([volume])
      })
    })

    it('keep what their volume held, whatever is written to it', async () => {
      await have(async (snapshots) => {
        await create('db')
        await write('db', 'rows')
        await snapshots.create('db', 'monday')
        await write('db', 'other rows')
        const path = await snapshots.show('db', 'monday')
        const table = join(path, 'table')
        expect(await fs.readFile(table, 'utf8')).to.equal('rows')
        await snapshots.hide('db', 'monday')
        await snapshots.hide('db', 'monday')
        expect(await read('db')).to.equal('other rows')
      })
    })

    it('bring their volume back, and its present too', async () => {
      await have(async (snapshots) => {
        await create('db')
        await write('db', 'rows')
        await snapshots.create('db', 'monday')
        await write('db', 'other rows')
        await snapshots.rollback('db', 'monday', 'saved')
        expect(await read('db')).to.equal('rows')
        expect(await namesOf('db')).to.deep.equal(['monday', 'saved'])
        await snapshots.rollback('db', 'saved', 'again')
        expect(await read('db')).to.equal('other rows')
        await reopen()
        expect(await read('db')).to.equal('other rows')
      })
    })

    it('are what volumes begin as, and neither harms the other', async () => {
      await have(async (snapshots) => {
        await create('db')
        await write('db', 'rows')
        await snapshots.create('db', 'monday')
        await write('db', 'other rows')
        await create('copy', { from: 'db@monday' })
        expect(await read('copy')).to.equal('rows')
        await write('copy', 'copied rows')
        await snapshots.delete('db', 'monday')
        await suite.store.remove('db')
        await reopen()
        expect(await read('copy')).to.equal('copied rows')
      })
    })

    it('go one by one, or with their volume', async () => {
      await have(async (snapshots) => {
        await create('db')
        await write('db', 'rows')
        await snapshots.create('db', 'monday')
        const { snapshots: left } = await snapshots.create('db', 'tuesday')
        expect(left).to.have.length(2)
        await snapshots.delete('db', 'monday')
        expect(await namesOf('db')).to.deep.equal(['tuesday'])
        await suite.store.remove('db')
        await reopen()
        await create('db')
        expect(await namesOf('db')).to.deep.equal([])
      })
    })

    it('have names that are taken once, and known', async () => {
      await have(async (snapshots) => {
        await create('db')
        await write('db', 'rows')
        await snapshots.create('db', 'monday')
        await write('db', 'other rows')
        await expectRejection(
          snapshots.create('db', 'monday'),
          SnapshotExistsError,
          /"db" has a snapshot "monday"/,
        )
        for (const unknown of [
          () => snapshots.delete('db', 'sunday'),
          () => snapshots.rollback('db', 'sunday', 'saved'),
          () => snapshots.show('db', 'sunday'),
          () => create('copy', { from: 'db@sunday' }),
        ]) {
          await expectRejection(unknown(), SnapshotNotFoundError, /"sunday"/)
        }
        await expectRejection(
          snapshots.create('absent', 'monday'),
          VolumeNotFoundError,
        )
        expect(await namesOf('db')).to.deep.equal(['monday'])
        expect(await read('db')).to.equal('other rows')
      })
    })

    it('are taken of volumes in use where the store says so', async () => {
      await have(async (snapshots) => {
        if (suite.store.capabilities.live !== true) return
        await create('db')
        const path = await suite.store.mount('db')
        const file = await fs.open(join(path, 'table'), 'w')
        await file.writeFile('rows')
        await snapshots.create('db', 'monday')
        await file.writeFile(' and more')
        await file.close()
        await suite.store.unmount('db')
        await create('copy', { from: 'db@monday' })
        expect(await read('copy')).to.equal('rows')
        expect(await read('db')).to.equal('rows and more')
      })
    })
  })
}
