import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { isMountpoint } from '../linux/mountinfo.ts'
import {
  VolumeExistsError,
  VolumeNotFoundError,
} from '../volume/volume-errors.ts'
import { parseVolumeOptions } from '../volume/volume-options.ts'
import type { VolumeStorer } from '../volume/volume-storer.ts'
import type { Volume } from '../volume/volume.ts'
import { needs } from './capabilities.ts'
import {
  describeVolumeAbilities,
  type VolumeSuite,
} from './describe-volume-abilities.ts'
import { describeVolumeAdoption } from './describe-volume-adoption.ts'
import { describeVolumeChanges } from './describe-volume-changes.ts'
import { describeVolumeSnapshots } from './describe-volume-snapshots.ts'
import { describeVolumeTrash } from './describe-volume-trash.ts'
import { expectRejection } from './expect-rejection.ts'
import { honour, PATIENCE, type SuiteOptions } from './suite-options.ts'
import { useTempDir } from './temp-dir.ts'

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
  describe(`${name} as a VolumeStorer`, function () {
    this.timeout(PATIENCE)
    needs(...on)
    honour(except)
    let store: VolumeStorer

    // Before the hook that takes the directory away.
    afterEach(() => store.close())
    const home = useTempDir(under)

    beforeEach(async () => {
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
        for (const refusal of refusals) {
          expect(refusal)
            .to.have.property('reason')
            .that.is.instanceOf(VolumeExistsError)
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

    const suite: VolumeSuite = {
      get store() {
        return store
      },
      directory: home,
      create,
      names,
      reopen,
    }
    describeVolumeAbilities(suite)
    describeVolumeSnapshots(suite)
    describeVolumeChanges(suite)
    describeVolumeTrash(suite)
    describeVolumeAdoption(suite)
  })
}
