import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  AlreadyExistsError,
  InvalidArgumentError,
  NotFoundError,
} from '../base/errors.ts'
import { NO_PARENT } from '../graph/driver.ts'
import type { Home } from '../graph/home.ts'
import type { LayerDriver, ViewOptions } from '../graph/layer-driver.ts'
import { mountsBelow } from '../linux/mountinfo.ts'
import { needs } from './capabilities.ts'
import { expectRejection } from './expect-rejection.ts'
import { type OpenLayers, openLayers } from './open-graph.ts'
import { useTempDir } from './temp-dir.ts'
import { build, directory, file, portray, remove } from './tree.ts'
import { honour, PATIENCE, type SuiteOptions } from './suite-options.ts'

/** The contract of `LayerDriver`, as tests. Every built-in driver runs all of them. */
export function describeLayerDriver(
  name: string,
  open: OpenLayers,
  { on = [], except = {}, under }: SuiteOptions = {},
): void {
  describe(`${name} as a LayerDriver`, function () {
    this.timeout(PATIENCE)
    needs('root', ...on)
    honour(except)
    const temp = useTempDir(under)
    let layers: LayerDriver
    let home: Home
    let close: () => Promise<void>

    async function start(): Promise<void> {
      const opened = await openLayers(open, join(temp.path, 'home'))
      layers = opened.driver
      home = opened.home
      close = opened.close
    }

    beforeEach(start)
    afterEach(() => close())

    async function restart(): Promise<void> {
      await close()
      await start()
    }

    /** Mounts what the driver describes, and runs `task` on it. */
    async function view<T>(
      id: string,
      task: (mountpoint: string) => Promise<T>,
      options: ViewOptions = {},
    ): Promise<T> {
      await home.mount(await layers.mounts(id, options), 'view')
      try {
        return await task(home.absolute('view'))
      } finally {
        await home.unmount('view')
      }
    }

    async function base(id: string): Promise<void> {
      await layers.create(id, NO_PARENT)
      await view(id, (at) =>
        build(at, directory('etc'), file('etc/motd', 'hello')),
      )
    }

    it('describes mounts and makes none', async () => {
      await base('base')
      await layers.create('child', 'base')
      expect(await layers.mounts('child')).to.have.length.of.at.least(1)
      expect(await mountsBelow(home.path)).to.deep.equal([])
    })

    it('describes the same mounts each time it is asked', async () => {
      await base('base')
      await layers.create('child', 'base')
      const mounts = await layers.mounts('child')
      expect(await layers.mounts('child')).to.deep.equal(mounts)
      await restart()
      expect(await layers.mounts('child')).to.deep.equal(mounts)
    })

    it('shows a parent’s files in its child', async () => {
      await base('base')
      await layers.create('child', 'base')
      const parent = await view('base', (at) => portray(at))
      expect(await view('child', (at) => portray(at))).to.deep.equal(parent)
    })

    it('describes two layers that stand on one, apart from each other', async () => {
      await base('base')
      for (const id of ['left', 'right']) {
        await layers.create(id, 'base')
        await view(id, (at) => build(at, file(id), remove('etc/motd')))
      }
      expect(await view('left', (at) => fs.readdir(at))).to.include('left')
      expect(await view('left', (at) => fs.readdir(at))).not.to.include('right')
      await view('base', async (at) => {
        expect(await fs.readdir(join(at, 'etc'))).to.deep.equal(['motd'])
      })
    })

    it('lets a layer be written until it is a parent, and not from then on', async () => {
      await base('base')
      await view('base', write)
      await layers.create('child', 'base')
      await view('base', (at) => expectReadOnly(write(at)))
      await view('child', write)
      await layers.remove('child')
      await restart()
      await view('base', (at) => expectReadOnly(write(at)))
    })

    it('keeps a layer sealed, however often and whoever seals it', async () => {
      await base('base')
      await layers.seal('base')
      await layers.seal('base')
      await view('base', (at) => expectReadOnly(write(at)))
      await restart()
      await view('base', (at) => expectReadOnly(write(at)))
      await expectRejection(layers.seal('absent'), NotFoundError)
    })

    it('describes a view for reading only of a layer that may be written', async () => {
      await base('base')
      await layers.create('child', 'base')
      for (const id of ['child', 'base']) {
        await view(
          id,
          async (at) => {
            const text = await fs.readFile(join(at, 'etc/motd'), 'utf8')
            expect(text).to.equal('hello')
            await expectReadOnly(write(at))
          },
          { readonly: true },
        )
      }
      await view('child', write)
    })

    it('refuses an id that is taken and a parent that is missing', async () => {
      await base('base')
      await expectRejection(
        layers.create('base', NO_PARENT),
        AlreadyExistsError,
        /"base"/,
      )
      await expectRejection(
        layers.create('child', 'absent'),
        NotFoundError,
        /"absent"/,
      )
      await layers.settled()
      expect(await layers.exists('child')).to.equal(false)
    })

    it('makes one layer when the same is asked for twice at once', async () => {
      await base('base')
      const results = await Promise.allSettled([
        layers.create('child', 'base'),
        layers.create('child', 'base'),
      ])
      const statuses = results.map(({ status }) => status).toSorted()
      expect(statuses).to.deep.equal(['fulfilled', 'rejected'])
      expect(await view('child', (at) => fs.readdir(at))).to.deep.equal(['etc'])
    })

    it('refuses a storage option that it does not know, and names it', async () => {
      await expectRejection(
        layers.create('odd', NO_PARENT, { storageOptions: { colour: 'red' } }),
        InvalidArgumentError,
        /"colour"/,
      )
      expect(await layers.exists('odd')).to.equal(false)
    })

    it('answers for no layer that does not exist', async () => {
      await expectRejection(layers.mounts('absent'), NotFoundError, /"absent"/)
      await expectRejection(layers.usage('absent'), NotFoundError)
      await expectRejection(layers.metadata('absent'), NotFoundError)
      await layers.remove('absent')
    })

    it('measures what a layer holds of its own', async () => {
      await base('base')
      const before = await layers.usage('base')
      await view('base', (at) =>
        build(at, file('big', 'x'.repeat(10_000)), directory('var')),
      )
      const after = await layers.usage('base')
      expect(after.bytes - before.bytes).to.be.at.least(10_000)
      expect(after.inodes - before.inodes).to.equal(2)
    })

    it('deletes the data of a removed layer in the background', async () => {
      await layers.settled()
      const before = await fs.readdir(home.path, { recursive: true })
      await base('base')
      await layers.create('child', 'base')
      await layers.remove('child')
      await layers.remove('base')
      expect(await layers.exists('base')).to.equal(false)
      await layers.settled()
      const after = await fs.readdir(home.path, { recursive: true })
      expect(after.toSorted()).to.deep.equal(before.toSorted())
    })

    it('takes a layer up that a crash left as it was being removed', async () => {
      await base('base')
      await layers.remove('base')
      await restart()
      expect(await layers.exists('base')).to.equal(false)
      await layers.settled()
      expect(await leftovers(home)).to.deep.equal([])
    })

    it('sweeps what a crash left half made or half removed', async () => {
      await base('base')
      for (const left of ['new-0123', 'rm-4567']) {
        await fs.mkdir(home.absolute(`${left}/inner`), { recursive: true })
        await fs.writeFile(home.absolute(`${left}/inner/file`), '')
      }
      await restart()
      await layers.settled()
      expect(await leftovers(home)).to.deep.equal([])
      expect(await layers.exists('base')).to.equal(true)
    })

    it('tells its status in lines of a label and a value', async () => {
      const status = await layers.status()
      expect(status).not.to.deep.equal([])
      for (const line of status) expect(line).to.have.length(2)
    })
  })
}

function write(at: string): Promise<void> {
  return fs.writeFile(join(at, 'new'), '')
}

async function leftovers(home: Home): Promise<string[]> {
  const names = await fs.readdir(home.path)
  return names.filter((name) => /^(?:new|rm)-/.test(name))
}

async function expectReadOnly(writing: Promise<unknown>): Promise<void> {
  const error = await expectRejection(writing, Error)
  expect(error).to.have.property('code', 'EROFS')
}
