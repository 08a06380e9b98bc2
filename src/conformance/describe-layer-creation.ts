import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  AlreadyExistsError,
  InvalidArgumentError,
  NotFoundError,
} from '../base/errors.ts'
import { NO_PARENT } from '../graph/driver.ts'
import { expectRejection } from './expect-rejection.ts'
import { build, directory, file, portray, remove } from './tree.ts'
import { type DriverSuite, namesBelow } from './use-driver.ts'

/** What a driver's new layers show, and which it refuses to create. */
export function describeLayerCreation(suite: DriverSuite): void {
  const { within, read, base } = suite

  describe('a layer without a parent', () => {
    it('is an empty directory of root that everybody may enter', async () => {
      await suite.driver.create('empty', NO_PARENT)
      expect(await suite.driver.exists('empty')).to.equal(true)
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
        await suite.driver.createReadWrite(id, NO_PARENT)
        await within(id, (mountpoint) => build(mountpoint, file('x')))
        await suite.driver.remove(id)
        expect(await suite.driver.exists(id)).to.equal(false)
      })
    }
  })

  describe('a child', () => {
    it('shows exactly what its parent shows', async () => {
      await base('base')
      await suite.driver.create('child', 'base')
      const parent = await within('base', (at) => portray(at))
      expect(await within('child', (at) => portray(at))).to.deep.equal(parent)
    })

    it('shows its parent’s root as it is: mode, owner, time, attributes', async () => {
      await suite.driver.create('base', NO_PARENT)
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
      await suite.driver.create('child', 'base')
      const root = await within('child', async (at) => (await portray(at))['.'])
      expect(root).to.include({ mode: '1750', owner: '3:4' })
      expect(root).to.include({ mtime: 1_000_000_000n })
      expect(root?.xattrs).to.deep.equal({ 'user.colour': 'green' })
    })

    it('changes, adds and deletes for itself alone', async () => {
      await base('base')
      const before = await within('base', (at) => portray(at))
      await suite.driver.create('child', 'base')
      await suite.driver.create('sibling', 'base')
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
      await suite.driver.create('child', 'base')
      await within('child', (mountpoint) =>
        build(
          mountpoint,
          remove('a subdir'),
          file('a subdir', 'is none'),
          remove('a file'),
          directory('a file'),
        ),
      )
      await suite.driver.create('grandchild', 'child')
      expect(await read('grandchild', 'a subdir')).to.equal('is none')
      await within('grandchild', async (at) => {
        expect(await fs.readdir(join(at, 'a file'))).to.deep.equal([])
      })
    })

    it('shows nothing of a directory that its parent made anew', async () => {
      await base('base')
      await suite.driver.create('middle', 'base')
      await within('middle', (mountpoint) =>
        build(mountpoint, remove('a subdir'), directory('a subdir')),
      )
      await suite.driver.create('top', 'middle')
      await within('top', async (at) => {
        expect(await fs.readdir(join(at, 'a subdir'))).to.deep.equal([])
      })
    })

    it('is written, then stood upon, as BuildKit does with created layers', async () => {
      await suite.driver.create('first', NO_PARENT)
      await within('first', (at) => build(at, file('one', '1')))
      await suite.driver.create('second', 'first')
      await within('second', (at) => build(at, file('two', '2')))
      await suite.driver.create('third', 'second')
      expect(await read('third', 'one')).to.equal('1')
      expect(await read('third', 'two')).to.equal('2')
    })

    it('can be the 128th on a stack', async function () {
      this.timeout(120_000)
      await suite.driver.create('layer-0', NO_PARENT)
      await within('layer-0', (at) => build(at, file('oldest', 'layer-0')))
      for (let index = 1; index <= 128; index++) {
        await suite.driver.create(`layer-${index}`, `layer-${index - 1}`)
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
      await suite.driver.create('other', NO_PARENT)
      const before = await namesBelow(suite.home)
      await expectRejection(
        suite.driver.create('child', 'absent'),
        NotFoundError,
      )
      expect(await suite.driver.exists('child')).to.equal(false)
      await suite.driver.cleanup()
      expect(await namesBelow(suite.home)).to.deep.equal(before)
    })

    it('succeeds again while nobody has touched the layer', async () => {
      await suite.driver.create('base', NO_PARENT)
      await suite.driver.create('base', NO_PARENT)
      await suite.driver.createReadWrite('child', 'base')
      await suite.driver.createReadWrite('child', 'base')
      expect(await suite.driver.exists('child')).to.equal(true)
    })

    it('refuses an id that is taken, with another parent or after a hold', async () => {
      await base('base')
      await expectRejection(
        suite.driver.create('base', NO_PARENT),
        AlreadyExistsError,
        /"base" already exists/,
      )
      await suite.driver.create('child', 'base')
      await expectRejection(
        suite.driver.create('child', NO_PARENT),
        AlreadyExistsError,
      )
      expect(await read('base', 'a file')).to.equal('some')
    })

    it('refuses a storage option that it does not know, and leaves nothing', async () => {
      await expectRejection(
        suite.driver.createReadWrite('container', NO_PARENT, {
          storageOptions: { foo: '1' },
        }),
        InvalidArgumentError,
        /"foo"/,
      )
      expect(await suite.driver.exists('container')).to.equal(false)
    })

    it('takes storage options for containers only', async () => {
      await expectRejection(
        suite.driver.create('image', NO_PARENT, {
          storageOptions: { size: '1G' },
        }),
        InvalidArgumentError,
        /"size"/,
      )
      expect(await suite.driver.exists('image')).to.equal(false)
    })
  })
}
