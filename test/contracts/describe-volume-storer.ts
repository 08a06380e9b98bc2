import * as fs from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { InUseError } from '../../src/base/errors.ts'
import { mount } from '../../src/linux/mount.ts'
import { isMountpoint } from '../../src/linux/mountinfo.ts'
import {
  VolumeExistsError,
  VolumeNotFoundError,
} from '../../src/volume/volume-errors.ts'
import { parseVolumeOptions } from '../../src/volume/volume-options.ts'
import type {
  VolumeCapabilities,
  VolumeStorer,
} from '../../src/volume/volume-storer.ts'
import type { Volume } from '../../src/volume/volume.ts'
import { type Capability, needs } from '../support/capabilities.ts'
import { expectRejection } from '../support/expect-rejection.ts'
import { useTempDir } from '../support/temp-dir.ts'

/** Where a store may differ: a test's title, and why it does not apply. */
export type Exceptions = Readonly<Record<string, string>>

export interface SuiteOptions {
  readonly on?: readonly Capability[]
  readonly except?: Exceptions
  /** The directory that homes are made in, for a filesystem of the suite's choice. */
  readonly under?: () => string
}

/**
 * The contract of {@link VolumeStorer}, as tests. Every store runs all of them.
 *
 * @param open Opens the store on a home directory: an empty one, or one that it
 *   was opened on before.
 */
export function describeVolumeStorer(
  name: string,
  open: (home: string) => Promise<VolumeStorer>,
  { on = [], except = {}, under }: SuiteOptions = {},
): void {
  describe(`${name} as a VolumeStorer`, () => {
    needs(...on)
    let store: VolumeStorer

    // Before the hook that takes the directory away.
    afterEach(() => store.close())
    const home = useTempDir(under)

    beforeEach(async function () {
      if (except[this.currentTest!.title] !== undefined) this.skip()
      store = await open(home.path)
    })

    const create = (
      volume: string,
      typed: Readonly<Record<string, string>> = {},
    ): Promise<Volume> => store.create(volume, parseVolumeOptions(typed))

    const reopen = async (): Promise<void> => {
      await store.close()
      store = await open(home.path)
    }

    const names = async (): Promise<readonly string[]> => {
      const { volumes } = await store.list()
      return volumes.map((volume) => volume.name).toSorted()
    }

    /** Runs `check` where the store claims the ability; elsewhere its word will do. */
    const claims = async (
      ability: Exclude<keyof VolumeCapabilities, 'maxNameBytes'>,
      check: () => Promise<void>,
    ): Promise<void> => {
      if (store.capabilities[ability] === true) await check()
    }

    describe('keeping volumes', () => {
      it('begins with none', async () => {
        expect(await store.list()).to.deep.equal({ volumes: [], problems: [] })
      })

      it('shows a created volume alike in create, get and list', async () => {
        const created = await create('db', { 'label.team': 'blue' })
        expect(created).to.include({ name: 'db', store: store.name })
        expect(await store.get('db')).to.deep.equal(created)
        expect((await store.list()).volumes).to.deep.equal([created])
      })

      it('dates a volume by the moment of its creation', async () => {
        const before = Date.now()
        const { createdAt } = await create('db')
        expect(createdAt).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*Z$/)
        expect(Date.parse(createdAt)).to.be.within(before, Date.now())
      })

      it('hands out volumes that nobody can change', async () => {
        const volume = await create('db', { 'label.team': 'blue' })
        expect(volume).to.be.frozen
        expect(volume.options).to.be.frozen
        expect(volume.options.labels).to.be.frozen
      })

      it('keeps labels of any text, and options as they were typed', async () => {
        const typed = {
          'LABEL.Team': 'blue',
          'label.empty': '',
          'label.__proto__': 'polluted',
          'label.../../x': '../../x',
          'label.text': 'é\u0000\n"\\\u{1f9fa}\ud800',
          'label.long': 'x'.repeat(1 << 20),
        }
        await create('db', typed)
        await reopen()
        const { options } = await store.get('db')
        expect(options.typed).to.deep.equal(typed)
        expect(options.labels).to.deep.equal(
          Object.fromEntries(
            Object.entries(typed).map(([key, value]) => [key.slice(6), value]),
          ),
        )
        expect(await fs.readdir(join(home.path, '..'))).to.not.include('x')
      })

      it('takes names as long as it says it can', async () => {
        const longest = 'n'.repeat(store.capabilities.maxNameBytes)
        await create(longest)
        await store.mount(longest)
        await store.unmount(longest)
        await reopen()
        expect(await names()).to.deep.equal([longest])
        await store.remove(longest)
      })

      it('takes names that look like its own files', async () => {
        const odd = ['new-1', 'rm-1', 'data', 'lock', 'format', 'volume.json']
        for (const volume of odd) await create(volume)
        await reopen()
        expect(await names()).to.deep.equal(odd.toSorted())
      })

      it('refuses a name that is taken, and leaves its volume as it is', async () => {
        const first = await create('db', { 'label.team': 'blue' })
        await fs.writeFile(join(await store.mount('db'), 'table'), 'rows')
        await expectRejection(create('db'), VolumeExistsError, /"db" already/)
        expect(await store.get('db')).to.deep.equal(first)
        expect(await fs.readdir(await store.mount('db'))).to.include('table')
      })

      it('gives one of 32 creators the name, and refuses the others', async () => {
        const attempts = await Promise.allSettled(
          Array.from({ length: 32 }, () => create('db')),
        )
        const refusals = attempts.filter(({ status }) => status === 'rejected')
        expect(refusals).to.have.length(31)
        for (const { reason } of refusals as PromiseRejectedResult[]) {
          expect(reason).to.be.instanceOf(VolumeExistsError)
        }
        expect(await names()).to.deep.equal(['db'])
      })

      it('creates 200 volumes side by side', async () => {
        const wanted = Array.from({ length: 200 }, (_, index) => `v${index}`)
        await Promise.all(wanted.map((volume) => create(volume)))
        expect(await names()).to.deep.equal(wanted.toSorted())
      })

      it('has all its volumes when it is opened again', async () => {
        for (let index = 0; index < 50; index++) {
          await create(`v${index}`, { 'label.index': String(index) })
        }
        const before = await store.list()
        await reopen()
        expect((await store.list()).volumes).to.have.deep.members([
          ...before.volumes,
        ])
      })

      it('does not know a volume that it does not have', async () => {
        for (const missing of [
          store.get('absent'),
          store.mount('absent'),
          store.remove('absent'),
        ]) {
          await expectRejection(missing, VolumeNotFoundError, /"absent"/)
        }
        expect(await names()).to.deep.equal([])
      })
    })

    describe('mounting', () => {
      it('begins a volume as an empty directory that root can write', async () => {
        const { mountpoint } = await create('db')
        const path = await store.mount('db')
        expect(path).to.equal(mountpoint)
        expect(await fs.readdir(path)).to.deep.equal([])
        await fs.writeFile(join(path, 'file'), 'text')
        await fs.chown(join(path, 'file'), 1000, 1000)
      })

      it('is still empty at the second mount, if nothing was written', async () => {
        await create('db')
        await store.mount('db')
        await store.unmount('db')
        expect(await fs.readdir(await store.mount('db'))).to.deep.equal([])
      })

      it('shows the same files at the same path when mounted twice', async () => {
        await create('db')
        const path = await store.mount('db')
        await fs.writeFile(join(path, 'table'), 'rows')
        expect(await store.mount('db')).to.equal(path)
        expect(await fs.readFile(join(path, 'table'), 'utf8')).to.equal('rows')
      })

      it('has the files again after unmount and mount', async () => {
        await create('db')
        await fs.writeFile(join(await store.mount('db'), 'table'), 'rows')
        await store.unmount('db')
        const path = await store.mount('db')
        expect(await fs.readFile(join(path, 'table'), 'utf8')).to.equal('rows')
      })

      it('takes the unmounting of what is not mounted for done', async () => {
        await create('db')
        await store.unmount('db')
        await store.mount('db')
        await store.unmount('db')
        await store.unmount('db')
      })

      it('leaves volumes mounted when it closes', async () => {
        await create('db')
        const path = await store.mount('db')
        await fs.writeFile(join(path, 'table'), 'rows')
        await reopen()
        expect(await fs.readFile(join(path, 'table'), 'utf8')).to.equal('rows')
        expect(await store.mount('db')).to.equal(path)
      })

      it('keeps the files of different volumes apart', async () => {
        await create('a')
        await create('b')
        await fs.writeFile(join(await store.mount('a'), 'file'), 'text')
        expect(await fs.readdir(await store.mount('b'))).to.deep.equal([])
      })

      it('says what is mounted as the kernel does', async () => {
        const options = store.capabilities.ro === true ? { ro: '' } : {}
        const volume = await create('db', options)
        const told = async (): Promise<boolean | undefined> =>
          (await store.mounted?.([volume]))?.get('db')

        const isMounted = async (): Promise<boolean | undefined> =>
          (await told()) === undefined
            ? undefined
            : isMountpoint(volume.mountpoint)
        expect(await told()).to.be.oneOf([undefined, false])
        await store.mount('db')
        expect(await told()).to.equal(await isMounted())
        await reopen()
        expect(await told()).to.be.oneOf([undefined, true])
        await store.unmount('db')
        expect(await told()).to.be.oneOf([undefined, false])
      })
    })

    describe('removing', () => {
      it('removes a volume with its files: the name begins anew', async () => {
        await create('db')
        await fs.writeFile(join(await store.mount('db'), 'table'), 'rows')
        await store.unmount('db')
        await store.remove('db')
        expect(await names()).to.deep.equal([])
        await create('db')
        expect(await fs.readdir(await store.mount('db'))).to.deep.equal([])
      })

      it('has removed volumes no more when it is opened again', async () => {
        await create('kept')
        await create('gone')
        await store.remove('gone')
        await reopen()
        expect(await names()).to.deep.equal(['kept'])
      })
    })

    describe('what it can do', () => {
      it('has a reason for all that it cannot', () => {
        const { maxNameBytes, ...abilities } = store.capabilities
        expect(maxNameBytes).to.be.within(1, 255)
        for (const [ability, claim] of Object.entries(abilities)) {
          if (claim === true) continue
          expect(claim.because, ability).to.match(/\w[^.]*$/)
        }
      })

      it('keeps a volume from growing past its capacity, and others from harm', async () => {
        await claims('capacity', async () => {
          await create('db', { capacity: '128MiB' })
          const path = await store.mount('db')
          const writing = fs.writeFile(
            join(path, 'large'),
            Buffer.alloc(160 << 20, 1),
          )
          // Node has no name for EDQUOT.
          expect(await expectRejection(writing, Error))
            .to.have.property('errno')
            .that.is.oneOf([-constants.errno.ENOSPC, -constants.errno.EDQUOT])
          await create('other', { capacity: '128MiB' })
          const other = await store.mount('other')
          await fs.writeFile(join(other, 'small'), 'fits')
        })
      })

      it('begins a volume as a clone of another, and keeps them apart', async () => {
        await claims('from', async () => {
          await create('db')
          const source = await store.mount('db')
          await fs.writeFile(join(source, 'table'), 'rows')
          await store.unmount('db')

          await create('copy', { from: 'db' })
          const copy = await store.mount('copy')
          const table = join(copy, 'table')
          expect(await fs.readFile(table, 'utf8')).to.equal('rows')
          await fs.writeFile(table, 'other rows')
          const original = join(await store.mount('db'), 'table')
          expect(await fs.readFile(original, 'utf8')).to.equal('rows')
        })
      })

      it('does not clone what it does not have', async () => {
        await claims('from', async () => {
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
          const { uid, gid, mode } = await fs.stat(await store.mount('db'))
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
          const path = await store.mount('db')
          await fs.writeFile(join(path, 'from-image'), '')
          await fs.chown(path, 0, 5)
          await fs.chmod(path, 0o755)
          await store.unmount('db')

          await store.mount('db')
          const filled = await fs.stat(path)
          expect(filled).to.include({ uid: 70, gid: 5 })
          expect(filled.mode & 0o7777).to.equal(0o750)

          await fs.chmod(path, 0o700)
          await store.unmount('db')
          await store.mount('db')
          expect((await fs.stat(path)).mode & 0o7777).to.equal(0o700)
        })
      })

      it('lets an empty read-only volume be filled, and then be read', async () => {
        await claims('ro', async () => {
          await create('db', { ro: '' })
          const path = await store.mount('db')
          await fs.writeFile(join(path, 'table'), 'rows')
          await store.unmount('db')
          expect(await store.mount('db')).to.equal(path)
          expect(await fs.readFile(join(path, 'table'), 'utf8')).to.equal(
            'rows',
          )
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
          const path = await store.mount('db')
          const file = await fs.open(join(path, 'table'), 'w')
          await store.mount('db')
          await file.writeFile('rows')
          await file.close()
        })
      })

      it('keeps its hands off what others have mounted in a volume', async () => {
        await claims('ownership', async () => {
          await create('db')
          const inside = join(await store.mount('db'), 'inside')
          const outside = join(home.path, 'outside')
          await fs.mkdir(inside)
          await fs.mkdir(outside)
          await fs.writeFile(join(outside, 'precious'), '')
          mount({ type: 'bind', source: outside, options: [] }, inside)
          await expectRejection(store.remove('db'), InUseError, /inside/)
          expect(await fs.readdir(inside)).to.deep.equal(['precious'])
          expect(await names()).to.deep.equal(['db'])
        })
      })
    })
  })
}
