import * as fs from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { InUseError } from '../base/errors.ts'
import { VolumeNotFoundError } from '../volume/volume-errors.ts'
import type {
  VolumeCapabilities,
  VolumeStorer,
} from '../volume/volume-storer.ts'
import type { Volume } from '../volume/volume.ts'
import { expectRejection } from './expect-rejection.ts'
import { mountInside } from './mount-inside.ts'
import type { TempDir } from './temp-dir.ts'

/** The store of the test that runs now, and what tests do with one. */
export interface VolumeSuite {
  readonly store: VolumeStorer
  readonly directory: TempDir
  readonly create: (
    volume: string,
    typed?: Readonly<Record<string, string>>,
  ) => Promise<Volume>
  readonly names: () => Promise<readonly string[]>
  /** Lets go of the store, and opens it again as another process would. */
  readonly reopen: () => Promise<void>
}

/** What a store claims in its capabilities, each claim put to the test. */
export function describeVolumeAbilities(suite: VolumeSuite): void {
  const { create, names, directory } = suite

  /** Runs `check` where the store claims the ability; elsewhere its word will do. */
  const claims = async (
    ability: Exclude<keyof VolumeCapabilities, 'maxNameBytes'>,
    check: () => Promise<void>,
  ): Promise<void> => {
    if (suite.store.capabilities[ability] === true) await check()
  }

  describe('what it can do', () => {
    it('has a reason for all that it cannot', () => {
      const { maxNameBytes, ...abilities } = suite.store.capabilities
      expect(maxNameBytes).to.be.within(1, 255)
      for (const [ability, claim] of Object.entries(abilities)) {
        if (claim === true) continue
        expect(claim.because, ability).to.match(/\w[^.]*$/)
      }
    })

    it('keeps a volume from growing past its capacity, and others from harm', async () => {
      await claims('capacity', async () => {
        await create('db', { capacity: '128MiB' })
        const path = await suite.store.mount('db')
        const writing = fs.writeFile(
          join(path, 'large'),
          Buffer.alloc(160 << 20, 1),
        )
        // Node has no name for EDQUOT.
        expect(await expectRejection(writing, Error))
          .to.have.property('errno')
          .that.is.oneOf([-constants.errno.ENOSPC, -constants.errno.EDQUOT])
        await create('other', { capacity: '128MiB' })
        const other = await suite.store.mount('other')
        await fs.writeFile(join(other, 'small'), 'fits')
      })
    })

    it('begins a volume as a clone of another, and keeps them apart', async () => {
      await claims('clone', async () => {
        await create('db')
        const source = await suite.store.mount('db')
        await fs.writeFile(join(source, 'table'), 'rows')
        await suite.store.unmount('db')

        await create('copy', { from: 'db' })
        const copy = await suite.store.mount('copy')
        const table = join(copy, 'table')
        expect(await fs.readFile(table, 'utf8')).to.equal('rows')
        await fs.writeFile(table, 'other rows')
        const original = join(await suite.store.mount('db'), 'table')
        expect(await fs.readFile(original, 'utf8')).to.equal('rows')
      })
    })

    it('does not clone what it does not have', async () => {
      await claims('clone', async () => {
        await expectRejection(
          create('copy', { from: 'absent' }),
          VolumeNotFoundError,
        )
        expect(await names()).to.deep.equal([])
      })
    })

    it('sets the owner, group and mode of a volume', async () => {
      await claims('ownership', async () => {
        await create('db', { uid: '70', gid: '71', mode: '2750' })
        const { uid, gid, mode } = await fs.stat(await suite.store.mount('db'))
        expect({ uid, gid, mode: mode & 0o7777 }).to.deep.equal({
          uid: 70,
          gid: 71,
          mode: 0o2750,
        })
      })
    })

    it('sets them again once Docker has filled the volume, and not later', async () => {
      await claims('ownership', async () => {
        await create('db', { uid: '70', mode: '0750' })
        const path = await suite.store.mount('db')
        await fs.writeFile(join(path, 'from-image'), '')
        await fs.chown(path, 0, 5)
        await fs.chmod(path, 0o755)
        await suite.store.unmount('db')

        await suite.store.mount('db')
        const filled = await fs.stat(path)
        expect(filled).to.include({ uid: 70, gid: 5 })
        expect(filled.mode & 0o7777).to.equal(0o750)

        await fs.chmod(path, 0o700)
        await suite.store.unmount('db')
        await suite.store.mount('db')
        expect((await fs.stat(path)).mode & 0o7777).to.equal(0o700)
      })
    })

    it('lets an empty read-only volume be filled, and then be read', async () => {
      await claims('ro', async () => {
        await create('db', { ro: '' })
        const path = await suite.store.mount('db')
        await fs.writeFile(join(path, 'table'), 'rows')
        await suite.store.unmount('db')
        expect(await suite.store.mount('db')).to.equal(path)
        expect(await fs.readFile(join(path, 'table'), 'utf8')).to.equal('rows')
        const writing = fs.writeFile(join(path, 'more'), '')
        expect(await expectRejection(writing, Error)).to.have.property(
          'code',
          'EROFS',
        )
      })
    })

    it('does not write-protect what is mounted while it is being filled', async () => {
      await claims('ro', async () => {
        await create('db', { ro: '' })
        const path = await suite.store.mount('db')
        const file = await fs.open(join(path, 'table'), 'w')
        await suite.store.mount('db')
        await file.writeFile('rows')
        await file.close()
      })
    })

    it('keeps its hands off what others have mounted in a volume', async () => {
      await claims('ownership', async () => {
        await create('db')
        const volume = await suite.store.mount('db')
        const inside = await mountInside(volume, directory.path)
        await expectRejection(suite.store.remove('db'), InUseError, /inside/)
        expect(await fs.readdir(inside)).to.deep.equal(['precious'])
        expect(await names()).to.deep.equal(['db'])
      })
    })
  })
}
