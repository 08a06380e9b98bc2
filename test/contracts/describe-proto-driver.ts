import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  AlreadyExistsError,
  InvalidArgumentError,
  NotFoundError,
} from '../../src/base/errors.ts'
import { NO_PARENT, type ProtoDriver } from '../../src/graph/driver.ts'
import { mount } from '../../src/linux/mount.ts'
import { mountsBelow } from '../../src/linux/mountinfo.ts'
import { type Capability, needs } from '../support/capabilities.ts'
import { expectRejection } from '../support/expect-rejection.ts'
import type { Opened, Opener } from '../support/open-graph.ts'
import { useTempDir } from '../support/temp-dir.ts'
import {
  build,
  directory,
  file,
  hardLink,
  portray,
  remove,
  symlink,
} from '../support/tree.ts'
import { type Exceptions, honour } from './exceptions.ts'

export interface SuiteOptions {
  /** What the implementation needs of the machine. */
  readonly on?: readonly Capability[]
  readonly except?: Exceptions
  /** A directory of the filesystem to run on. */
  readonly under?: () => string
}

/**
 * The contract of `ProtoDriver`, as tests. Every driver runs all of them.
 *
 * @param open Opens the driver on a home directory, which may not exist yet.
 */
export function describeProtoDriver(
  name: string,
  open: Opener<ProtoDriver>,
  { on = [], except = {}, under }: SuiteOptions = {},
): void {
  describe(`${name} as a ProtoDriver`, () => {
    needs('root', ...on)
    honour(except)
    const temp = useTempDir(under)
    let opened: Opened<ProtoDriver>
    let driver: ProtoDriver
    let home: string

    beforeEach(async () => {
      home = join(temp.path, 'home')
      opened = await open(home)
      driver = opened.driver
    })
    afterEach(async () => {
      await driver.cleanup()
      await opened.close()
    })

    async function restart(): Promise<void> {
      await opened.close()
      opened = await open(home)
      driver = opened.driver
    }

    /** Runs `task` on the layer's mountpoint while the layer is held. */
    async function within<T>(
      id: string,
      task: (mountpoint: string) => Promise<T>,
    ): Promise<T> {
      const mountpoint = await driver.get(id)
      try {
        return await task(mountpoint)
      } finally {
        await driver.put(id)
      }
    }

    const read = (id: string, path: string) =>
      within(id, (mountpoint) => fs.readFile(join(mountpoint, path), 'utf8'))

    async function base(id: string): Promise<void> {
      await driver.create(id, NO_PARENT)
      await within(id, (mountpoint) =>
        build(
          mountpoint,
          directory('a subdir', { mode: 0o1705, uid: 1, gid: 2 }),
          file('a file', 'some', { mode: 0o4222 }),
          symlink('a link', '/a file'),
          hardLink('a name more', 'a file'),
          file('a subdir/deep', 'deeper', {
            xattrs: { 'user.colour': 'green' },
            mtime: 1_234_567_890_123_456_789n,
          }),
        ),
      )
    }

    describe('a layer without a parent', () => {
      it('is an empty directory of root that everybody may enter', async () => {
        await driver.create('empty', NO_PARENT)
        expect(await driver.exists('empty')).to.equal(true)
        await within('empty', async (mountpoint) => {
          const { mode, uid, gid } = await fs.stat(mountpoint)
          expect([(mode & 0o7777).toString(8), uid, gid]).to.deep.equal([
            '755',
            0,
            0,
          ])
          expect(await fs.readdir(mountpoint)).to.deep.equal([])
        })
      })

      it('keeps modes, owners, links, times and attributes between holds', async () => {
        await base('base')
        const before = await within('base', (mountpoint) => portray(mountpoint))
        const after = await within('base', (mountpoint) => portray(mountpoint))
        expect(after).to.deep.equal(before)
        expect(before['a subdir']).to.include({ mode: '1705', owner: '1:2' })
        expect(before['a file']).to.include({ mode: '4222' })
        expect(before['a name more']).to.include({ linkedTo: 'a file' })
      })

      for (const id of [
        'ab12-init',
        'nttjoz82ousaw8tphbbutmmtp',
        'f'.repeat(64),
        'A_b.c-1',
      ]) {
        it(`may be called "${id}"`, async () => {
          await driver.createReadWrite(id, NO_PARENT)
          await within(id, (mountpoint) => build(mountpoint, file('x')))
          await driver.remove(id)
          expect(await driver.exists(id)).to.equal(false)
        })
      }
    })

    describe('a child', () => {
      it('shows exactly what its parent shows', async () => {
        await base('base')
        await driver.create('child', 'base')
        const parent = await within('base', (at) => portray(at))
        expect(await within('child', (at) => portray(at))).to.deep.equal(parent)
      })

      it('shows its parent’s root as it is: mode, owner, time, attributes', async () => {
        await driver.create('base', NO_PARENT)
        await within('base', (mountpoint) =>
          build(
            mountpoint,
            directory('.', {
              mode: 0o1750,
              uid: 3,
              gid: 4,
              mtime: 1_000_000_000n,
              xattrs: { 'user.colour': 'green' },
            }),
          ),
        )
        await driver.create('child', 'base')
        const root = await within(
          'child',
          async (at) => (await portray(at))['.'],
        )
        expect(root).to.include({ mode: '1750', owner: '3:4' })
        expect(root).to.include({ mtime: 1_000_000_000n })
        expect(root?.xattrs).to.deep.equal({ 'user.colour': 'green' })
      })

      it('changes, adds and deletes for itself alone', async () => {
        await base('base')
        const before = await within('base', (at) => portray(at))
        await driver.create('child', 'base')
        await driver.create('sibling', 'base')
        await within('child', (mountpoint) =>
          build(
            mountpoint,
            file('a file', 'another'),
            file('new'),
            remove('a subdir'),
          ),
        )
        expect(await read('child', 'a file')).to.equal('another')
        expect(
          (await within('child', (at) => fs.readdir(at))).toSorted(),
        ).to.deep.equal(['a file', 'a link', 'a name more', 'new'])
        for (const id of ['base', 'sibling']) {
          expect(await within(id, (at) => portray(at))).to.deep.equal(before)
        }
      })

      it('may replace a directory by a file, and a file by a directory', async () => {
        await base('base')
        await driver.create('child', 'base')
        await within('child', (mountpoint) =>
          build(
            mountpoint,
            remove('a subdir'),
            file('a subdir', 'is none'),
            remove('a file'),
            directory('a file'),
          ),
        )
        await driver.create('grandchild', 'child')
        expect(await read('grandchild', 'a subdir')).to.equal('is none')
        await within('grandchild', async (at) => {
          expect(await fs.readdir(join(at, 'a file'))).to.deep.equal([])
        })
      })

      it('shows nothing of a directory that its parent made anew', async () => {
        await base('base')
        await driver.create('middle', 'base')
        await within('middle', (mountpoint) =>
          build(mountpoint, remove('a subdir'), directory('a subdir')),
        )
        await driver.create('top', 'middle')
        await within('top', async (at) => {
          expect(await fs.readdir(join(at, 'a subdir'))).to.deep.equal([])
        })
      })

      it('is written, then stood upon, as BuildKit does with created layers', async () => {
        await driver.create('first', NO_PARENT)
        await within('first', (at) => build(at, file('one', '1')))
        await driver.create('second', 'first')
        await within('second', (at) => build(at, file('two', '2')))
        await driver.create('third', 'second')
        expect(await read('third', 'one')).to.equal('1')
        expect(await read('third', 'two')).to.equal('2')
      })

      it('can be the 128th on a stack', async function () {
        this.timeout(120_000)
        await driver.create('layer-0', NO_PARENT)
        await within('layer-0', (at) => build(at, file('oldest', 'layer-0')))
        for (let index = 1; index <= 128; index++) {
          await driver.create(`layer-${index}`, `layer-${index - 1}`)
          await within(`layer-${index}`, (at) =>
            build(at, file('top', `${index}`), file(`at-${index}`)),
          )
        }
        expect(await read('layer-128', 'oldest')).to.equal('layer-0')
        expect(await read('layer-128', 'top')).to.equal('128')
        const names = await within('layer-128', (at) => fs.readdir(at))
        expect(names).to.have.length(130)
      })
    })

    describe('create', () => {
      it('leaves nothing behind when the parent is missing', async () => {
        await driver.create('other', NO_PARENT)
        const before = await namesBelow(home)
        await expectRejection(driver.create('child', 'absent'), NotFoundError)
        expect(await driver.exists('child')).to.equal(false)
        await driver.cleanup()
        expect(await namesBelow(home)).to.deep.equal(before)
      })

      it('succeeds again while nobody has touched the layer', async () => {
        await driver.create('base', NO_PARENT)
        await driver.create('base', NO_PARENT)
        await driver.createReadWrite('child', 'base')
        await driver.createReadWrite('child', 'base')
        expect(await driver.exists('child')).to.equal(true)
      })

      it('refuses an id that is taken, with another parent or after a hold', async () => {
        await base('base')
        await expectRejection(
          driver.create('base', NO_PARENT),
          AlreadyExistsError,
          /"base" already exists/,
        )
        await driver.create('child', 'base')
        await expectRejection(
          driver.create('child', NO_PARENT),
          AlreadyExistsError,
        )
        expect(await read('base', 'a file')).to.equal('some')
      })

      it('refuses a storage option that it does not know, and leaves nothing', async () => {
        await expectRejection(
          driver.createReadWrite('container', NO_PARENT, {
            storageOptions: { foo: '1' },
          }),
          InvalidArgumentError,
          /"foo"/,
        )
        expect(await driver.exists('container')).to.equal(false)
      })

      it('takes storage options for containers only', async () => {
        await expectRejection(
          driver.create('image', NO_PARENT, { storageOptions: { size: '1G' } }),
          InvalidArgumentError,
          /"size"/,
        )
        expect(await driver.exists('image')).to.equal(false)
      })
    })

    describe('get and put', () => {
      it('count: the layer is mounted from the first to the last', async () => {
        await base('base')
        await driver.create('child', 'base')
        const first = await driver.get('child')
        expect(await driver.get('child')).to.equal(first)
        await driver.put('child')
        expect(await fs.readdir(first)).to.include('a file')
        await driver.put('child')
        expect(await mountsBelow(home)).to.deep.equal([])
        expect(await driver.get('child')).to.equal(first)
        await driver.put('child')
      })

      it('succeed fifty times at once, with one mount', async () => {
        await base('base')
        await driver.create('child', 'base')
        const gets = Array.from({ length: 50 }, () => driver.get('child'))
        const [mountpoint, ...others] = new Set(await Promise.all(gets))
        expect(others).to.deep.equal([])
        expect(await mountsBelow(home)).to.have.length.of.at.most(1)
        const puts = Array.from({ length: 49 }, () => driver.put('child'))
        await Promise.all(puts)
        expect(await fs.readdir(mountpoint!)).to.include('a file')
        await driver.put('child')
        expect(await mountsBelow(home)).to.deep.equal([])
      })

      it('give a path of the layer that holds of others do not move', async () => {
        await base('base')
        await driver.create('a', 'base')
        const held = await driver.get('a')
        await driver.create('b', 'a')
        expect(await driver.get('a')).to.equal(held)
        await driver.put('a')
        await driver.put('a')
      })

      it('refuse a layer that does not exist, and miss no count by it', async () => {
        await expectRejection(driver.get('absent'), NotFoundError, /"absent"/)
        await driver.put('absent')
        await driver.create('absent', NO_PARENT)
        await within('absent', (at) => build(at, file('x')))
        expect(await mountsBelow(home)).to.deep.equal([])
      })

      it('work normally after a put without a get', async () => {
        await base('base')
        await driver.create('child', 'base')
        await driver.put('child')
        const mountpoint = await driver.get('child')
        expect(await fs.readdir(mountpoint)).to.include('a file')
        await driver.put('child')
        expect(await mountsBelow(home)).to.deep.equal([])
      })

      it('let a layer be written by one and read by another', async () => {
        await base('base')
        await driver.create('child', 'base')
        const mountpoint = await driver.get('child')
        await within('child', (at) => build(at, file('new', 'fresh')))
        const text = await fs.readFile(join(mountpoint, 'new'), 'utf8')
        expect(text).to.equal('fresh')
        await driver.put('child')
      })
    })

    describe('a restart of the process', () => {
      it('keeps layers as they are', async () => {
        await base('base')
        await driver.create('child', 'base')
        await within('child', (at) => build(at, file('new')))
        const before = await within('child', (at) => portray(at))
        await restart()
        expect(await driver.exists('base')).to.equal(true)
        expect(await within('child', (at) => portray(at))).to.deep.equal(before)
      })

      it('keeps holds: a running container keeps its root', async () => {
        await base('base')
        await driver.create('child', 'base')
        const mountpoint = await driver.get('child')
        await restart()
        expect(await driver.get('child')).to.equal(mountpoint)
        await driver.put('child')
        expect(await fs.readdir(mountpoint)).to.include('a file')
        await driver.put('child')
        expect(await mountsBelow(home)).to.deep.equal([])
      })

      it('keeps what is removed away', async () => {
        await base('base')
        await driver.remove('base')
        await restart()
        expect(await driver.exists('base')).to.equal(false)
      })
    })

    describe('remove', () => {
      it('takes the layer away, and its id may be used again', async () => {
        await base('base')
        await driver.remove('base')
        expect(await driver.exists('base')).to.equal(false)
        await expectRejection(driver.get('base'), NotFoundError)
        await driver.create('base', NO_PARENT)
        expect(await within('base', (at) => fs.readdir(at))).to.deep.equal([])
      })

      it('removes an absent layer without complaint', async () => {
        await driver.remove('absent')
      })

      it('takes a held layer away, with what is bound into it', async () => {
        await base('base')
        await driver.create('child', 'base')
        const outside = join(temp.path, 'outside')
        await fs.mkdir(outside)
        await fs.writeFile(join(outside, 'precious'), '')
        for (const id of ['child', 'base']) {
          const mountpoint = await driver.get(id)
          await driver.get(id)
          const spec = { type: 'bind', source: outside, options: [] }
          if (id === 'child') mount(spec, join(mountpoint, 'a subdir'))
          await driver.remove(id)
          expect(await driver.exists(id)).to.equal(false)
        }
        await driver.cleanup()
        expect(await mountsBelow(home)).to.deep.equal([])
        expect(await fs.readdir(outside)).to.deep.equal(['precious'])
      })

      it('leaves a child what it reads of its parent', async () => {
        await base('base')
        await driver.create('middle', 'base')
        await driver.create('child', 'middle')
        await driver.remove('middle')
        await driver.remove('base')
        expect(await driver.exists('base')).to.equal(false)
        await expectRejection(driver.get('base'), NotFoundError)
        await expectRejection(driver.create('more', 'base'), NotFoundError)
        expect(await read('child', 'a subdir/deep')).to.equal('deeper')
        await restart()
        expect(await driver.exists('base')).to.equal(false)
        expect(await read('child', 'a subdir/deep')).to.equal('deeper')
      })

      it('leaves nothing of any layer when the last one goes', async () => {
        const before = await namesBelow(home)
        await base('base')
        await driver.create('middle', 'base')
        await driver.create('child', 'middle')
        await driver.remove('base')
        await driver.remove('middle')
        await driver.remove('child')
        await driver.cleanup()
        expect(await namesBelow(home)).to.deep.equal(before)
      })
    })

    it('serves thirty-two containers at once', async function () {
      this.timeout(60_000)
      await base('image')
      const containers = Array.from({ length: 32 }, (_, index) => `c${index}`)
      await Promise.all(
        containers.map(async (id) => {
          await driver.createReadWrite(`${id}-init`, 'image')
          await within(`${id}-init`, (at) => build(at, file('.dockerenv')))
          await driver.createReadWrite(id, `${id}-init`)
          await within(id, (at) => build(at, file('mine', id)))
          expect(await read(id, 'mine')).to.equal(id)
          await driver.remove(id)
          await driver.remove(`${id}-init`)
        }),
      )
      expect(await mountsBelow(home)).to.deep.equal([])
      expect(await driver.exists('image')).to.equal(true)
      expect(await driver.exists('c7')).to.equal(false)
    })

    it('tells the facts of a layer, and of no other', async () => {
      await driver.create('base', NO_PARENT)
      const metadata = await driver.metadata('base')
      for (const value of Object.values(metadata))
        expect(value).to.be.a('string')
      await expectRejection(
        driver.metadata('absent'),
        NotFoundError,
        /"absent"/,
      )
    })

    it('tells its status in lines of a label and a value', async () => {
      for (const [label, value] of await driver.status()) {
        expect(label).to.match(/\S/)
        expect(value).to.be.a('string')
      }
    })

    it('unmounts everything on cleanup, however often, and works on', async () => {
      await base('base')
      await driver.create('child', 'base')
      await driver.get('child')
      await driver.get('child')
      await driver.get('base')
      await driver.cleanup()
      expect(await mountsBelow(home)).to.deep.equal([])
      await driver.cleanup()
      expect(await read('child', 'a file')).to.equal('some')
      expect(await mountsBelow(home)).to.deep.equal([])
    })
  })
}

/** Everything a driver keeps, by name: what is left behind shows up here. */
async function namesBelow(home: string): Promise<string[]> {
  return (await fs.readdir(home, { recursive: true })).toSorted()
}
