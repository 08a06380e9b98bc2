import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { NotFoundError } from '../base/errors.ts'
import { NO_PARENT, type ProtoDriver } from '../graph/driver.ts'
import { mount } from '../linux/mount.ts'
import { mountsBelow } from '../linux/mountinfo.ts'
import { describeLayerCreation } from './describe-layer-creation.ts'
import { expectRejection } from './expect-rejection.ts'
import type { Opener } from './open-graph.ts'
import { PATIENCE, type SuiteOptions } from './suite-options.ts'
import { build, file, portray } from './tree.ts'
import { namesBelow, useDriver } from './use-driver.ts'

/**
 * The contract of `ProtoDriver`, as tests. Every driver runs all of them.
 *
 * @param open Opens the driver on a home directory, which may not exist yet.
 */
export function describeProtoDriver(
  name: string,
  open: Opener<ProtoDriver>,
  options: SuiteOptions = {},
): void {
  describe(`${name} as a ProtoDriver`, function () {
    this.timeout(PATIENCE)
    const suite = useDriver(open, options)
    const { within, read, base } = suite

    describeLayerCreation(suite)

    describe('get and put', () => {
      it('count: the layer is mounted from the first to the last', async () => {
        await base('base')
        await suite.driver.create('child', 'base')
        const first = await suite.driver.get('child')
        expect(await suite.driver.get('child')).to.equal(first)
        await suite.driver.put('child')
        expect(await fs.readdir(first)).to.include('a file')
        await suite.driver.put('child')
        expect(await mountsBelow(suite.home)).to.deep.equal([])
        expect(await suite.driver.get('child')).to.equal(first)
        await suite.driver.put('child')
      })

      it('succeed fifty times at once, with one mount', async () => {
        await base('base')
        await suite.driver.create('child', 'base')
        const gets = Array.from({ length: 50 }, () => suite.driver.get('child'))
        const [mountpoint = '', ...others] = new Set(await Promise.all(gets))
        expect(others).to.deep.equal([])
        expect(await mountsBelow(suite.home)).to.have.length.of.at.most(1)
        const puts = Array.from({ length: 49 }, () => suite.driver.put('child'))
        await Promise.all(puts)
        expect(await fs.readdir(mountpoint)).to.include('a file')
        await suite.driver.put('child')
        expect(await mountsBelow(suite.home)).to.deep.equal([])
      })

      it('give a path of the layer that holds of others do not move', async () => {
        await base('base')
        await suite.driver.create('a', 'base')
        const held = await suite.driver.get('a')
        await suite.driver.create('b', 'a')
        expect(await suite.driver.get('a')).to.equal(held)
        await suite.driver.put('a')
        await suite.driver.put('a')
      })

      it('refuse a layer that does not exist, and miss no count by it', async () => {
        await expectRejection(
          suite.driver.get('absent'),
          NotFoundError,
          /"absent"/,
        )
        await suite.driver.put('absent')
        await suite.driver.create('absent', NO_PARENT)
        await within('absent', (at) => build(at, file('x')))
        expect(await mountsBelow(suite.home)).to.deep.equal([])
      })

      it('work normally after a put without a get', async () => {
        await base('base')
        await suite.driver.create('child', 'base')
        await suite.driver.put('child')
        const mountpoint = await suite.driver.get('child')
        expect(await fs.readdir(mountpoint)).to.include('a file')
        await suite.driver.put('child')
        expect(await mountsBelow(suite.home)).to.deep.equal([])
      })

      it('let a layer be written by one and read by another', async () => {
        await base('base')
        await suite.driver.create('child', 'base')
        const mountpoint = await suite.driver.get('child')
        await within('child', (at) => build(at, file('new', 'fresh')))
        const text = await fs.readFile(join(mountpoint, 'new'), 'utf8')
        expect(text).to.equal('fresh')
        await suite.driver.put('child')
      })
    })

    describe('a restart of the process', () => {
      it('keeps layers as they are', async () => {
        await base('base')
        await suite.driver.create('child', 'base')
        await within('child', (at) => build(at, file('new')))
        const before = await within('child', (at) => portray(at))
        await suite.reopen()
        expect(await suite.driver.exists('base')).to.equal(true)
        expect(await within('child', (at) => portray(at))).to.deep.equal(before)
      })

      it('keeps holds: a running container keeps its root', async () => {
        await base('base')
        await suite.driver.create('child', 'base')
        const mountpoint = await suite.driver.get('child')
        await suite.reopen()
        expect(await suite.driver.get('child')).to.equal(mountpoint)
        await suite.driver.put('child')
        expect(await fs.readdir(mountpoint)).to.include('a file')
        await suite.driver.put('child')
        expect(await mountsBelow(suite.home)).to.deep.equal([])
      })

      it('keeps what is removed away', async () => {
        await base('base')
        await suite.driver.remove('base')
        await suite.reopen()
        expect(await suite.driver.exists('base')).to.equal(false)
      })
    })

    describe('remove', () => {
      it('takes the layer away, and its id may be used again', async () => {
        await base('base')
        await suite.driver.remove('base')
        expect(await suite.driver.exists('base')).to.equal(false)
        await expectRejection(suite.driver.get('base'), NotFoundError)
        await suite.driver.create('base', NO_PARENT)
        expect(await within('base', (at) => fs.readdir(at))).to.deep.equal([])
      })

      it('removes an absent layer without complaint', async () => {
        await suite.driver.remove('absent')
      })

      it('takes a held layer away, with what is bound into it', async () => {
        await base('base')
        await suite.driver.create('child', 'base')
        const outside = join(suite.directory, 'outside')
        await fs.mkdir(outside)
        await fs.writeFile(join(outside, 'precious'), '')
        for (const id of ['child', 'base']) {
          const mountpoint = await suite.driver.get(id)
          await suite.driver.get(id)
          const spec = { type: 'bind', source: outside, options: [] }
          if (id === 'child') mount(spec, join(mountpoint, 'a subdir'))
          await suite.driver.remove(id)
          expect(await suite.driver.exists(id)).to.equal(false)
        }
        await suite.driver.cleanup()
        expect(await mountsBelow(suite.home)).to.deep.equal([])
        expect(await fs.readdir(outside)).to.deep.equal(['precious'])
      })

      it('leaves a child what it reads of its parent', async () => {
        await base('base')
        await suite.driver.create('middle', 'base')
        await suite.driver.create('child', 'middle')
        await suite.driver.remove('middle')
        await suite.driver.remove('base')
        expect(await suite.driver.exists('base')).to.equal(false)
        await expectRejection(suite.driver.get('base'), NotFoundError)
        await expectRejection(
          suite.driver.create('more', 'base'),
          NotFoundError,
        )
        expect(await read('child', 'a subdir/deep')).to.equal('deeper')
        await suite.reopen()
        expect(await suite.driver.exists('base')).to.equal(false)
        expect(await read('child', 'a subdir/deep')).to.equal('deeper')
      })

      it('leaves nothing of any layer when the last one goes', async () => {
        const before = await namesBelow(suite.home)
        await base('base')
        await suite.driver.create('middle', 'base')
        await suite.driver.create('child', 'middle')
        await suite.driver.remove('base')
        await suite.driver.remove('middle')
        await suite.driver.remove('child')
        await suite.driver.cleanup()
        expect(await namesBelow(suite.home)).to.deep.equal(before)
      })
    })

    it('serves thirty-two containers at once', async function () {
      this.timeout(60_000)
      await base('image')
      const containers = Array.from({ length: 32 }, (_, index) => `c${index}`)
      await Promise.all(
        containers.map(async (id) => {
          await suite.driver.createReadWrite(`${id}-init`, 'image')
          await within(`${id}-init`, (at) => build(at, file('.dockerenv')))
          await suite.driver.createReadWrite(id, `${id}-init`)
          await within(id, (at) => build(at, file('mine', id)))
          expect(await read(id, 'mine')).to.equal(id)
          await suite.driver.remove(id)
          await suite.driver.remove(`${id}-init`)
        }),
      )
      expect(await mountsBelow(suite.home)).to.deep.equal([])
      expect(await suite.driver.exists('image')).to.equal(true)
      expect(await suite.driver.exists('c7')).to.equal(false)
    })

    it('tells the facts of a layer, and of no other', async () => {
      await suite.driver.create('base', NO_PARENT)
      const metadata = await suite.driver.metadata('base')
      for (const value of Object.values(metadata))
        expect(value).to.be.a('string')
      await expectRejection(
        suite.driver.metadata('absent'),
        NotFoundError,
        /"absent"/,
      )
    })

    it('tells its status in lines of a label and a value', async () => {
      for (const [label, value] of await suite.driver.status()) {
        expect(label).to.match(/\S/)
        expect(value).to.be.a('string')
      }
    })

    it('unmounts everything on cleanup, however often, and works on', async () => {
      await base('base')
      await suite.driver.create('child', 'base')
      await suite.driver.get('child')
      await suite.driver.get('child')
      await suite.driver.get('base')
      await suite.driver.cleanup()
      expect(await mountsBelow(suite.home)).to.deep.equal([])
      await suite.driver.cleanup()
      expect(await read('child', 'a file')).to.equal('some')
      expect(await mountsBelow(suite.home)).to.deep.equal([])
    })
  })
}
