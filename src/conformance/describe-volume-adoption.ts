import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { InvalidArgumentError, NotSupportedError } from '../base/errors.ts'
import type { VolumeSuite } from './describe-volume-abilities.ts'
import { expectRejection } from './expect-rejection.ts'

/** Volumes that are made of a directory that exists: the option `path`. */
export function describeVolumeAdoption(suite: VolumeSuite): void {
  const { create, names, reopen, directory } = suite

  /** Runs `check` on a directory with a file, where the store adopts any. */
  const can = async (check: (path: string) => Promise<void>): Promise<void> => {
    if (suite.store.capabilities.path !== true) return
    const path = await fs.mkdtemp(`${directory.path}-adopted-`)
    try {
      await fs.writeFile(join(path, 'precious'), 'kept')
      await check(path)
      expect(await fs.readdir(path)).to.deep.equal(['precious'])
    } finally {
      await fs.rm(path, { recursive: true })
    }
  }

  describe('adopted directories', () => {
    it('become volumes where they are, without being copied', async () => {
      await can(async (path) => {
        const volume = await create('db', { path })
        expect(volume.mountpoint).to.equal(path)
        await reopen()
        expect(await suite.store.get('db')).to.deep.equal(volume)
        expect(await suite.store.mount('db')).to.equal(path)
        const { bytes, inodes } = await suite.store.usage('db')
        expect({ bytes, inodes }).to.deep.equal({ bytes: 4, inodes: 2 })
        await suite.store.unmount('db')
      })
    })

    it('are never deleted, in whatever way their volumes go', async () => {
      await can(async (path) => {
        await create('removed', { path })
        await suite.store.remove('removed')
        for (const name of ['first', 'second']) {
          await create(name, { path })
          await suite.store.trash?.put(name)
        }
        const { volumes = [] } = (await suite.store.trash?.list()) ?? {}
        const [first, second] = volumes
        if (first) await suite.store.trash?.delete(first.id)
        if (second) {
          expect(await suite.store.trash?.usage(second.id)).to.include({
            bytes: 0,
          })
          const back = await suite.store.trash?.restore(second.id, 'back')
          expect(back?.mountpoint).to.equal(path)
        }
        await reopen()
        expect(await names()).to.deep.equal(second ? ['back'] : [])
      })
    })

    it('are shown read-only at another path', async () => {
      await can(async (path) => {
        if (suite.store.capabilities.ro !== true) return
        const { mountpoint } = await create('db', { path, ro: '' })
        expect(await suite.store.mount('db')).to.equal(mountpoint)
        expect(mountpoint).to.not.equal(path)
        expect(await fs.readdir(mountpoint)).to.deep.equal(['precious'])
        const writing = fs.writeFile(join(mountpoint, 'more'), '')
        const error = await expectRejection(writing, Error)
        expect(error).to.have.property('code', 'EROFS')
        await suite.store.unmount('db')
        await suite.store.remove('db')
      })
    })

    it('are refused where there is none, and in and around the store', async () => {
      await can(async (path) => {
        const bad = [
          join(path, 'absent'),
          join(path, 'precious'),
          directory.path,
          join(directory.path, '..'),
          '/',
        ]
        for (const each of bad) {
          await expectRejection(
            create('db', { path: each }),
            InvalidArgumentError,
          )
        }
        expect(await names()).to.deep.equal([])
      })
    })

    it('are neither changed nor copied', async () => {
      await can(async (path) => {
        for (const option of ['uid', 'gid', 'mode']) {
          await expectRejection(
            create('db', { path, [option]: '7' }),
            InvalidArgumentError,
            /"path"/,
          )
        }
        await create('db', { path })
        const { snapshots } = suite.store
        if (snapshots === undefined) return
        await expectRejection(
          snapshots.create('db', 'monday'),
          NotSupportedError,
          /adopted/,
        )
        await expectRejection(
          create('copy', { from: 'db' }),
          NotSupportedError,
          /adopted/,
        )
      })
    })
  })
}
