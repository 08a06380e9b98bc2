import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import { expect } from 'chai'
import type { ChangeKind } from '../../src/archive/changes.ts'
import { InvalidArgumentError, NotFoundError } from '../../src/base/errors.ts'
import { type Driver, NO_PARENT } from '../../src/graph/driver.ts'
import { mountsBelow } from '../../src/linux/mountinfo.ts'
import { needs } from '../support/capabilities.ts'
import { expectRejection } from '../support/expect-rejection.ts'
import { forgeTar, TAR_END } from '../support/forge-tar.ts'
import type { Opened, Opener } from '../support/open-graph.ts'
import { useTempDir } from '../support/temp-dir.ts'
import {
  build,
  change,
  device,
  directory,
  fifo,
  file,
  hardLink,
  type Portrait,
  portray,
  type PortraitOptions,
  remove,
  type Step,
  symlink,
} from '../support/tree.ts'
import type { SuiteOptions } from './describe-proto-driver.ts'
import { honour } from './exceptions.ts'

const AS_A_LAYER: PortraitOptions = { wholeSeconds: true }

const MAPS = [{ containerId: 0, hostId: 100_000, size: 65_536 }]

/**
 * The diff half of `Driver`, as tests: changes and layer tars, out and in. What a
 * driver has of `ProtoDriver` is in `describeProtoDriver`.
 */
export function describeDriver(
  name: string,
  open: Opener<Driver>,
  { on = [], except = {}, under }: SuiteOptions = {},
): void {
  describe(`${name} as a Driver`, () => {
    needs('root', ...on)
    honour(except)
    const temp = useTempDir(under)
    let opened: Opened<Driver>
    let driver: Driver

    beforeEach(async () => {
      opened = await open(join(temp.path, 'home'))
      driver = opened.driver
    })
    afterEach(async () => {
      await driver.cleanup()
      await opened.close()
    })

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

    async function layer(
      id: string,
      parent: string,
      ...steps: Step[]
    ): Promise<void> {
      await driver.create(id, parent)
      await within(id, (mountpoint) => build(mountpoint, ...steps))
    }

    async function look(id: string): Promise<Record<string, Portrait>> {
      const found = await within(id, (at) => portray(at, AS_A_LAYER))
      // A layer tar does not tell of the root itself.
      const { mtime: _untold, ...root } = found['.']!
      return { ...found, '.': { ...root, mtime: 0n } }
    }

    const diff = async (id: string, parent: string) =>
      buffer(await driver.diff(id, parent))

    const apply = (id: string, parent: string, ...tar: Buffer[]) =>
      driver.applyDiff(id, parent, Readable.from(tar))

    async function changes(
      id: string,
      parent: string,
    ): Promise<Record<string, ChangeKind>> {
      const found: [string, ChangeKind][] = []
      for await (const { path, kind } of driver.changes(id, parent)) {
        found.push([path.toString(), kind])
      }
      return Object.fromEntries(found)
    }

    const base = (id: string) =>
      layer(
        id,
        NO_PARENT,
        directory('etc', { mode: 0o711, uid: 7, gid: 8 }),
        file('etc/passwd', 'root'),
        file('etc/shadow', 'secret', { mode: 0o4600, uid: 3 }),
        directory('var/lib/deep'),
        file('var/lib/deep/data', 'data'),
        file('var/keep', 'kept'),
        hardLink('var/also', 'var/keep'),
        symlink('link', 'etc/passwd'),
        fifo('pipe', { mode: 0o620 }),
        device('null', 'character', { major: 1, minor: 3 }),
        file('empty'),
      )

    const changed = [
      file('etc/passwd', 'ROOT'),
      remove('etc/shadow'),
      remove('var/lib'),
      directory('var/lib'),
      file('var/lib/new', 'new', { mode: 0o2755 }),
      change('empty', { mode: 0o600 }),
      remove('link'),
      directory('link'),
      file('added', 'x'.repeat(70_000)),
    ]

    describe('changes', () => {
      it('tell what was modified, added and deleted, and where', async () => {
        await base('base')
        await layer('child', 'base', ...changed)
        expect(await changes('child', 'base')).to.deep.equal({
          '/added': 'added',
          '/empty': 'modified',
          '/etc': 'modified',
          '/etc/passwd': 'modified',
          '/etc/shadow': 'deleted',
          '/link': 'modified',
          '/var': 'modified',
          '/var/lib': 'modified',
          '/var/lib/deep': 'deleted',
          '/var/lib/new': 'added',
        })
      })

      it('are none for a layer that nobody wrote to', async () => {
        await base('base')
        await driver.create('child', 'base')
        expect(await changes('child', 'base')).to.deep.equal({})
        expect(await driver.diffSize('child', 'base')).to.equal(0)
      })

      it('are all of a tree, against no parent', async () => {
        await layer('base', NO_PARENT, directory('a'), file('a/b', 'four'))
        await layer('child', 'base', file('c', 'five!'))
        const all = { '/a': 'added', '/a/b': 'added', '/c': 'added' }
        expect(await changes('child', NO_PARENT)).to.deep.equal(all)
        expect(await driver.diffSize('child', NO_PARENT)).to.equal(9)
      })

      it('list parents before children, each path once', async () => {
        await base('base')
        await layer('child', 'base', ...changed)
        const paths: string[] = []
        for await (const { path } of driver.changes('child', 'base')) {
          paths.push(path.toString())
        }
        expect(paths).to.have.length(new Set(paths).size)
        for (const [index, path] of paths.entries()) {
          const parent = path.slice(0, path.lastIndexOf('/'))
          const isListed = paths.indexOf(parent)
          expect(isListed).to.be.lessThan(index)
        }
      })

      it('see a file of equal size and time that holds something else', async () => {
        const mtime = 1_600_000_000_000_000_000n
        await layer('base', NO_PARENT, file('same', 'old', { mtime }))
        await layer('child', 'base', file('same', 'new', { mtime }))
        expect(await changes('child', 'base')).to.deep.equal({
          '/same': 'modified',
        })
      })

      it('of many files are each told', async () => {
        const names = Array.from({ length: 20 }, (_, index) => `file-${index}`)
        await layer('base', NO_PARENT, ...names.map((it) => file(it, it)))
        const expected: Record<string, ChangeKind> = {}
        const steps = names.map((it, index) => {
          const kind = (['modified', 'added', 'deleted'] as const)[index % 3]!
          expected[kind === 'added' ? `/${it}-new` : `/${it}`] = kind
          if (kind === 'deleted') return remove(it)
          return kind === 'added'
            ? file(`${it}-new`, 'n')
            : file(it, it.replace('file', 'elif'))
        })
        await layer('child', 'base', ...steps)
        expect(await changes('child', 'base')).to.deep.equal(expected)
      })

      it('of a container are those since Docker prepared it', async () => {
        await base('image')
        await layer('c-init', 'image', file('.dockerenv'), directory('proc'))
        await layer('c', 'c-init', file('etc/passwd', 'ROOT'), file('mine'))
        expect(await changes('c', 'c-init')).to.deep.equal({
          '/etc': 'modified',
          '/etc/passwd': 'modified',
          '/mine': 'added',
        })
      })

      it('refuse layers that do not exist', async () => {
        await base('base')
        await expectRejection(changes('absent', 'base'), NotFoundError)
        await expectRejection(changes('base', 'absent'), NotFoundError)
        await expectRejection(driver.diffSize('absent', 'base'), NotFoundError)
        expect(await mountsBelow(temp.path)).to.deep.equal([])
      })
    })

    describe('a layer tar', () => {
      it('makes of a sibling what the layer is', async () => {
        await base('base')
        await layer('upper', 'base', ...changed)
        await driver.create('sibling', 'base')
        const tar = await diff('upper', 'base')
        const size = await apply('sibling', 'base', tar)
        expect(await look('sibling')).to.deep.equal(await look('upper'))
        expect(size).to.equal(await driver.diffSize('upper', 'base'))
        expect(size).to.equal(await driver.diffSize('sibling', 'base'))
      })

      it('of a whole tree makes it anew on nothing', async () => {
        await base('base')
        await layer('upper', 'base', ...changed)
        await driver.create('copy', NO_PARENT)
        await apply('copy', NO_PARENT, await diff('upper', NO_PARENT))
        expect(await look('copy')).to.deep.equal(await look('upper'))
      })

      it('against an ancestor holds what came since', async () => {
        await base('base')
        await layer('middle', 'base', file('one', '1'), remove('empty'))
        await layer('top', 'middle', file('two', '2'), remove('etc/shadow'))
        expect(await changes('top', 'base')).to.deep.equal({
          '/empty': 'deleted',
          '/etc': 'modified',
          '/etc/shadow': 'deleted',
          '/one': 'added',
          '/two': 'added',
        })
        await driver.create('squashed', 'base')
        await apply('squashed', 'base', await diff('top', 'base'))
        expect(await look('squashed')).to.deep.equal(await look('top'))
      })

      it('is the same bytes each time', async () => {
        await base('base')
        await layer('upper', 'base', ...changed)
        const first = await diff('upper', 'base')
        expect((await diff('upper', 'base')).equals(first)).to.equal(true)
      })

      it('of a layer without changes is empty', async () => {
        await base('base')
        await driver.create('child', 'base')
        expect(await diff('child', 'base')).to.deep.equal(TAR_END)
      })

      it('carries file capabilities, and nothing of the driver’s own', async () => {
        const capability = Buffer.from(
          '0100000200200000000000000000000000000000',
          'hex',
        )
        await base('base')
        await layer(
          'upper',
          'base',
          file('ping', 'p', { xattrs: { 'security.capability': capability } }),
          remove('etc'),
          directory('etc'),
        )
        const tar = await diff('upper', 'base')
        expect(tar.includes('overlay')).to.equal(false)
        await driver.create('sibling', 'base')
        await apply('sibling', 'base', tar)
        const found = await look('sibling')
        expect(found.ping?.xattrs).to.deep.equal({
          'security.capability': capability.toString('latin1'),
        })
        expect(found.etc?.xattrs).to.equal(undefined)
      })

      it('goes straight into another layer, however large it is', async function () {
        this.timeout(60_000)
        await base('base')
        const large = Buffer.alloc(24 * 1024 * 1024, 'stowage ')
        await layer('upper', 'base', file('a', large), file('b', large))
        await driver.create('sibling', 'base')
        const tar = await driver.diff('upper', 'base')
        const size = await driver.applyDiff('sibling', 'base', tar)
        expect(size).to.equal(2 * large.length)
        expect(await look('sibling')).to.deep.equal(await look('upper'))
      })

      it('can be had of a parent and its child at once', async () => {
        await base('base')
        await layer('upper', 'base', ...changed)
        const alone = [
          await diff('base', NO_PARENT),
          await diff('upper', 'base'),
        ]
        const together = await Promise.all([
          diff('base', NO_PARENT),
          diff('upper', 'base'),
        ])
        expect(together).to.deep.equal(alone)
      })

      it('lets go of its layers when the reader walks away', async () => {
        await base('base')
        await layer('upper', 'base', file('big', Buffer.alloc(8_000_000)))
        const tar = await driver.diff('upper', 'base')
        const ended = finished(tar).catch(() => undefined)
        tar.destroy()
        await ended
        await driver.get('upper')
        await driver.put('upper')
        expect(await mountsBelow(temp.path)).to.deep.equal([])
      })

      it('may be taken of a running container, which goes on running', async () => {
        await base('base')
        await driver.createReadWrite('container', 'base')
        const mountpoint = await driver.get('container')
        await build(mountpoint, file('log', 'line\n'))
        await diff('container', 'base')
        await fs.appendFile(join(mountpoint, 'log'), 'another\n')
        await driver.put('container')
        expect(await changes('container', 'base')).to.deep.equal({
          '/log': 'added',
        })
      })

      it('refuses layers that do not exist before its first byte', async () => {
        await base('base')
        await expectRejection(driver.diff('absent', 'base'), NotFoundError)
        await expectRejection(driver.diff('base', 'absent'), NotFoundError)
        expect(await mountsBelow(temp.path)).to.deep.equal([])
      })
    })

    describe('applying', () => {
      it('deletes what whiteouts name, and keeps what the parent has', async () => {
        await base('base')
        const before = await look('base')
        await driver.create('child', 'base')
        await apply(
          'child',
          'base',
          forgeTar(
            { name: 'etc/', type: '5', mode: 0o755 },
            { name: 'etc/.wh.passwd' },
            { name: 'var/', type: '5' },
            { name: 'var/lib/', type: '5' },
            { name: 'var/lib/.wh..wh..opq' },
            { name: 'var/lib/own', content: 'mine' },
            { name: '.wh.link' },
          ),
        )
        const found = Object.keys(await look('child'))
        expect(found).to.include.members(['etc/shadow', 'var/lib/own'])
        for (const gone of ['etc/passwd', 'var/lib/deep', 'link']) {
          expect(found).not.to.include(gone)
        }
        expect(await look('base')).to.deep.equal(before)
        expect(await changes('child', 'base')).to.include({
          '/etc/passwd': 'deleted',
          '/link': 'deleted',
          '/var/lib/deep': 'deleted',
          '/var/lib/own': 'added',
        })
      })

      it('leaves directories that a tar only passes through as they are', async () => {
        await base('base')
        const { etc } = await look('base')
        await driver.create('child', 'base')
        const tar = forgeTar({ name: 'etc/deeper/x', content: 'x' })
        await apply('child', 'base', tar)
        const found = (await look('child')).etc
        expect([found?.mode, found?.owner]).to.deep.equal([
          etc?.mode,
          etc?.owner,
        ])
      })

      it('follows a parent’s link to a directory, as Docker does', async () => {
        await layer(
          'base',
          NO_PARENT,
          directory('usr/lib'),
          file('usr/lib/old', 'old'),
          symlink('lib', 'usr/lib'),
        )
        await driver.create('child', 'base')
        const tar = forgeTar({ name: 'lib/new', content: 'new' })
        await apply('child', 'base', tar)
        const found = await look('child')
        expect(found).to.include.keys('usr/lib/new', 'usr/lib/old')
        expect(found.lib?.type).to.equal('symlink')
      })

      it('links to a file that only the parent has', async () => {
        await base('base')
        await driver.create('child', 'base')
        const tar = forgeTar({
          name: 'etc/linked',
          type: '1',
          linkName: 'etc/passwd',
        })
        await apply('child', 'base', tar)
        expect((await look('child'))['etc/passwd']?.linkedTo).to.equal(
          'etc/linked',
        )
        await within('child', async (at) => {
          const text = await fs.readFile(join(at, 'etc/linked'), 'utf8')
          expect(text).to.equal('root')
        })
      })

      it('takes a body of no bytes for an empty layer', async () => {
        await base('base')
        await driver.create('child', 'base')
        expect(await apply('child', 'base')).to.equal(0)
        expect(await look('child')).to.deep.equal(await look('base'))
      })

      it('reads to the very end, whatever follows the tar', async () => {
        await driver.create('base', NO_PARENT)
        const tar = Readable.from([
          forgeTar({ name: 'x', content: 'x' }),
          Buffer.alloc(10_000_000),
        ])
        expect(await driver.applyDiff('base', NO_PARENT, tar)).to.equal(1)
        expect(tar.readableEnded).to.equal(true)
      })

      it('is done once to a layer', async () => {
        await base('base')
        await driver.create('child', 'base')
        await apply('child', 'base', forgeTar({ name: 'x', content: 'x' }))
        await expectRejection(
          apply('child', 'base', forgeTar({ name: 'y' })),
          InvalidArgumentError,
          /"child"/,
        )
        expect(await changes('child', 'base')).to.deep.equal({ '/x': 'added' })
      })

      const failures: Record<string, () => AsyncGenerator<Buffer>> = {
        'a broken tar': async function* () {
          yield forgeTar({ name: 'half', content: 'h' }).subarray(0, 1024)
          yield Buffer.alloc(1024, 'garbage')
        },
        'a tar that ends too early': async function* () {
          yield forgeTar({ name: 'half', content: 'h' }).subarray(0, 600)
        },
        'a sender that dies': async function* () {
          yield forgeTar({ name: 'half', content: 'h' }).subarray(0, 1024)
          throw new Error('the sender died')
        },
      }
      for (const [failure, tar] of Object.entries(failures)) {
        it(`leaves of ${failure} a layer that can only be removed`, async () => {
          await base('base')
          await driver.create('child', 'base')
          await expectRejection(
            driver.applyDiff('child', 'base', Readable.from(tar())),
            Error,
          )
          await opened.close()
          opened = await open(join(temp.path, 'home'))
          driver = opened.driver
          expect(await driver.exists('child')).to.equal(false)
          await expectRejection(driver.get('child'), NotFoundError, /"child"/)
          await expectRejection(driver.diff('child', 'base'), NotFoundError)
          await expectRejection(driver.create('more', 'child'), NotFoundError)
          await expectRejection(
            apply('child', 'base', forgeTar({ name: 'x' })),
            Error,
          )
          await driver.put('child')
          await driver.remove('child')
          await driver.create('child', 'base')
          await apply('child', 'base', forgeTar({ name: 'x', content: 'x' }))
          expect(await changes('child', 'base')).to.deep.equal({
            '/x': 'added',
          })
        })
      }

      it('refuses a layer that another stands on', async () => {
        await base('base')
        await driver.create('child', 'base')
        await expectRejection(
          apply('base', NO_PARENT, forgeTar({ name: 'x', content: 'x' })),
          Error,
        )
        expect(Object.keys(await look('child'))).not.to.include('x')
      })

      it('refuses a layer that does not exist', async () => {
        await expectRejection(
          apply('absent', NO_PARENT, TAR_END),
          NotFoundError,
          /"absent"/,
        )
        await driver.create('absent', NO_PARENT)
        await apply('absent', NO_PARENT, TAR_END)
      })

      it('is done to a layer that Docker holds, and it sees it', async () => {
        await base('base')
        await driver.create('child', 'base')
        const mountpoint = await driver.get('child')
        await apply('child', 'base', forgeTar({ name: 'x', content: 'new' }))
        const text = await fs.readFile(join(mountpoint, 'x'), 'utf8')
        expect(text).to.equal('new')
        await driver.put('child')
        expect(await mountsBelow(temp.path)).to.deep.equal([])
      })
    })

    describe('in a user namespace', () => {
      beforeEach(async () => {
        await opened.close()
        const maps = { uids: MAPS, gids: MAPS }
        opened = await open(join(temp.path, 'mapped'), maps)
        driver = opened.driver
      })

      it('owners are the host’s on disk and the namespace’s in a tar', async () => {
        await driver.create('base', NO_PARENT)
        const tar = forgeTar(
          { name: 'mine', content: 'm', uid: 5, gid: 6 },
          { name: 'dir/', type: '5' },
        )
        await apply('base', NO_PARENT, tar)
        const found = await look('base')
        expect(found['.']?.owner).to.equal('100000:100000')
        expect(found.mine?.owner).to.equal('100005:100006')
        expect(found.dir?.owner).to.equal('100000:100000')
        const out = await diff('base', NO_PARENT)
        await driver.create('again', NO_PARENT)
        await apply('again', NO_PARENT, out)
        expect(await look('again')).to.deep.equal(found)
      })

      it('the home is open to the namespace’s root, and to nobody else', async () => {
        const { mode, uid, gid } = await fs.stat(join(temp.path, 'mapped'))
        expect([(mode & 0o7777).toString(8), uid, gid]).to.deep.equal([
          '710',
          0,
          100_000,
        ])
      })
    })

    it('reads through forty layers what each of them changed', async function () {
      this.timeout(60_000)
      await driver.create('layer-0', NO_PARENT)
      await apply('layer-0', NO_PARENT, forgeTar({ name: 'file-0' }))
      for (let index = 1; index <= 40; index++) {
        const [id, parent] = [`layer-${index}`, `layer-${index - 1}`]
        await driver.create(id, parent)
        const tar = forgeTar(
          { name: 'top', content: String(index) },
          { name: `file-${index}`, content: String(index) },
          { name: `.wh.file-${index - 1}` },
        )
        await apply(id, parent, tar)
      }
      const names = await within('layer-40', (at) => fs.readdir(at))
      expect(names.toSorted()).to.deep.equal(['file-40', 'top'])
    })
  })
}
