import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { InUseError, NotFoundError, NotSupportedError } from '../base/errors.ts'
import type { StoreTrash, TrashedVolume } from '../volume/store-trash.ts'
import {
  VolumeExistsError,
  VolumeNotFoundError,
} from '../volume/volume-errors.ts'
import type { VolumeSuite } from './describe-volume-abilities.ts'
import { expectRejection } from './expect-rejection.ts'
import { mountInside } from './mount-inside.ts'

/** What becomes of removed volumes, in a store that keeps them for a while. */
export function describeVolumeTrash(suite: VolumeSuite): void {
  const { create, names, reopen, directory } = suite

  /** Runs `check` where the store has a trash; elsewhere it says why it has none. */
  const can = async (
    check: (trash: () => StoreTrash) => Promise<void>,
  ): Promise<void> => {
    const { trash } = suite.store.capabilities
    expect(suite.store.trash === undefined).to.equal(trash !== true)
    if (trash !== true) return
    await check(() => {
      if (suite.store.trash === undefined) throw new Error('It has no trash')
      return suite.store.trash
    })
  }

  /** A volume with something in it, in the trash. */
  const trashed = async (
    trash: StoreTrash,
    name: string,
    text = 'rows',
  ): Promise<TrashedVolume> => {
    await create(name, { 'label.team': 'blue' })
    await fs.writeFile(join(await suite.store.mount(name), 'table'), text)
    await suite.store.unmount(name)
    return trash.put(name)
  }

  const table = async (name: string): Promise<string> => {
    const path = join(await suite.store.mount(name), 'table')
    return fs.readFile(path, 'utf8')
  }

  describe('the trash', () => {
    it('takes a volume out of the store, and frees its name', async () => {
      await can(async (trash) => {
        expect(await trash().list()).to.deep.equal({
          volumes: [],
          problems: [],
        })
        await trashed(trash(), 'db')
        expect(await names()).to.deep.equal([])
        await expectRejection(suite.store.get('db'), VolumeNotFoundError)
        await create('db')
        expect(await fs.readdir(await suite.store.mount('db'))).to.be.empty
      })
    })

    it('tells what was removed when, and who held it', async () => {
      await can(async (trash) => {
        const volume = await create('db', { 'label.team': 'blue' })
        const before = Date.now()
        const removed = await trash().put('db', { holders: ['one', 'two'] })
        const { name, store, createdAt, options } = volume
        expect(removed).to.deep.include({ name, store, createdAt, options })
        expect(removed.holders).to.deep.equal(['one', 'two'])
        expect(Date.parse(removed.removedAt)).to.be.within(before, Date.now())
        await reopen()
        const { volumes } = await trash().list()
        expect(volumes).to.deep.equal([removed])
      })
    })

    it('gives a volume back as it was, after the store was opened again', async () => {
      await can(async (trash) => {
        const before = await create('db', { 'label.team': 'blue' })
        await fs.writeFile(join(await suite.store.mount('db'), 'table'), 'rows')
        await suite.store.unmount('db')
        const { id } = await trash().put('db', { holders: ['one'] })
        await reopen()
        expect(await trash().restore(id, 'db')).to.deep.equal(before)
        expect(await suite.store.get('db')).to.deep.equal(before)
        expect(await table('db')).to.equal('rows')
        expect((await trash().list()).volumes).to.be.empty
      })
    })

    it('gives a volume back under another name', async () => {
      await can(async (trash) => {
        const { id, createdAt, options } = await trashed(trash(), 'db')
        await create('db')
        const back = await trash().restore(id, 'db-of-monday')
        expect(back).to.deep.include({ createdAt, options })
        await reopen()
        expect(await names()).to.deep.equal(['db', 'db-of-monday'])
        expect(await table('db-of-monday')).to.equal('rows')
      })
    })

    it('gives nothing back over a volume that is there', async () => {
      await can(async (trash) => {
        const { id } = await trashed(trash(), 'db')
        await create('db')
        await expectRejection(trash().restore(id, 'db'), VolumeExistsError)
        expect((await trash().list()).volumes).to.have.length(1)
        expect(await fs.readdir(await suite.store.mount('db'))).to.be.empty
      })
    })

    it('keeps several that had one name, those removed first come first', async () => {
      await can(async (trash) => {
        const removed: TrashedVolume[] = []
        for (const text of ['first', 'second', 'third']) {
          removed.push(await trashed(trash(), 'db', text))
        }
        const ids = removed.map(({ id }) => id)
        expect(ids).to.deep.equal(ids.toSorted())
        const { volumes } = await trash().list()
        expect(volumes).to.deep.equal(removed)
        await trash().restore(ids[1] ?? '', 'db')
        expect(await table('db')).to.equal('second')
      })
    })

    it('keeps the snapshots of a volume with it', async () => {
      await can(async (trash) => {
        const { snapshots } = suite.store
        if (snapshots === undefined) return
        await create('db')
        await fs.writeFile(join(await suite.store.mount('db'), 'table'), 'old')
        await suite.store.unmount('db')
        await snapshots.create('db', 'monday')
        const { id } = await trash().put('db')
        const back = await trash().restore(id, 'db')
        expect(back.snapshots.map(({ name }) => name)).to.deep.equal(['monday'])
        await snapshots.rollback('db', 'monday', 'saved')
        expect(await table('db')).to.equal('old')
      })
    })

    it('deletes for good, and does so again without complaint', async () => {
      await can(async (trash) => {
        const { id } = await trashed(trash(), 'db')
        await trash().delete(id)
        await trash().delete(id)
        expect((await trash().list()).volumes).to.be.empty
        await expectRejection(trash().restore(id, 'db'), NotFoundError)
        await reopen()
        expect((await trash().list()).volumes).to.be.empty
      })
    })

    it('knows nothing of what it does not have', async () => {
      await can(async (trash) => {
        await expectRejection(trash().put('absent'), VolumeNotFoundError)
        for (const id of ['absent', '..', '../volumes/db', '']) {
          await expectRejection(trash().restore(id, 'db'), NotFoundError)
          await expectRejection(trash().usage(id), NotFoundError)
        }
        await create('db')
        await expectRejection(trash().delete('../volumes/db'), NotFoundError)
        expect(await names()).to.deep.equal(['db'])
      })
    })

    it('measures what it has', async () => {
      await can(async (trash) => {
        const text = 'x'.repeat(1 << 20)
        const { id } = await trashed(trash(), 'db', text)
        const { bytes, inodes, allocated } = await trash().usage(id)
        expect(bytes).to.be.at.least(1 << 20)
        expect(allocated).to.be.at.least(1 << 20)
        expect(inodes).to.be.at.least(2)
      })
    })

    it('takes no volume with something else mounted in it', async () => {
      await can(async (trash) => {
        if (suite.store.capabilities.ownership !== true) return
        await create('db')
        const volume = await suite.store.mount('db')
        const inside = await mountInside(volume, directory.path)
        await expectRejection(trash().put('db'), InUseError, /inside/)
        expect(await names()).to.deep.equal(['db'])
        expect(await fs.readdir(inside)).to.deep.equal(['precious'])
      })
    })
  })

  describe('what is said of a volume', () => {
    it('can be changed, and stays so', async () => {
      const { options, ...before } = await create('db')
      const labels = Object.freeze({ team: 'red' })
      const typed = Object.freeze({ protect: 'true', 'label.team': 'red' })
      const changed = { ...options, protect: true, labels, typed }
      const after = await unlessRefused(suite.store.amend('db', changed))
      if (after === undefined) return
      expect(after).to.deep.equal({ ...before, options: changed })
      await reopen()
      expect(await suite.store.get('db')).to.deep.equal(after)
    })

    it('is not changed of a volume that is not there', async () => {
      const { options } = await create('db')
      const amended = unlessRefused(suite.store.amend('absent', options))
      await amended.then(
        (volume) => expect(volume).to.equal(undefined),
        (error: unknown) => expect(error).to.be.instanceOf(VolumeNotFoundError),
      )
    })
  })

  describe('measuring', () => {
    it('tells how much a volume holds, mounted or not', async () => {
      await create('db')
      const empty = await suite.store.usage('db')
      // A filesystem of its own has `lost+found` until it is mounted first.
      expect(empty.inodes).to.be.within(1, 2)
      const path = await suite.store.mount('db')
      const file = await fs.open(join(path, 'file'), 'w')
      await file.writeFile(Buffer.alloc(4 << 20, 1))
      await file.sync()
      await file.close()
      await fs.link(join(path, 'file'), join(path, 'again'))
      const check = async (): Promise<void> => {
        const { bytes, inodes, allocated } = await suite.store.usage('db')
        expect(bytes - empty.bytes).to.be.closeTo(4 << 20, 65536)
        expect(inodes).to.equal(2)
        expect(allocated).to.be.at.least(4 << 20)
      }
      await check()
      await suite.store.unmount('db')
      await check()
      await expectRejection(suite.store.usage('absent'), VolumeNotFoundError)
    })

    it('tells how much room there is for all', async () => {
      const room = await unlessRefused(suite.store.room())
      if (room !== undefined) expect(room.free).to.be.within(1, room.total)
    })
  })
}

/** What is answered; `undefined` where the store says why it cannot do that. */
async function unlessRefused<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof NotSupportedError)) throw error
    expect(error.message).to.match(/cannot .*, because ./)
    return undefined
  }
}
