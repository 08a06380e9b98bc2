import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { expect } from 'chai'
import type { ChangeKind } from '../archive/changes.ts'
import { NotFoundError } from '../base/errors.ts'
import { type Driver, NO_PARENT } from '../graph/driver.ts'
import { mountsBelow } from '../linux/mountinfo.ts'
import { expectRejection } from './expect-rejection.ts'
import { TAR_END } from './forge-tar.ts'
import { build, directory, file, remove } from './tree.ts'
import { changed, type Diffs } from './use-diffs.ts'
import type { DriverSuite } from './use-driver.ts'

const KINDS = ['modified', 'added', 'deleted'] as const

/** What changed in a layer, told one by one and as a tar. */
export function describeLayerTars(
  suite: DriverSuite<Driver>,
  diffs: Diffs,
): void {
  const { layer } = suite
  const { base, look, diff, apply, changes } = diffs

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
      await suite.driver.create('child', 'base')
      expect(await changes('child', 'base')).to.deep.equal({})
      expect(await suite.driver.diffSize('child', 'base')).to.equal(0)
    })

    it('are all of a tree, against no parent', async () => {
      await layer('base', NO_PARENT, directory('a'), file('a/b', 'four'))
      await layer('child', 'base', file('c', 'five!'))
      const all = { '/a': 'added', '/a/b': 'added', '/c': 'added' }
      expect(await changes('child', NO_PARENT)).to.deep.equal(all)
      expect(await suite.driver.diffSize('child', NO_PARENT)).to.equal(9)
    })

    it('list parents before children, each path once', async () => {
      await base('base')
      await layer('child', 'base', ...changed)
      const paths: string[] = []
      for await (const { path } of suite.driver.changes('child', 'base')) {
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
        const kind = KINDS[index % 3] ?? 'modified'
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
      await expectRejection(
        suite.driver.diffSize('absent', 'base'),
        NotFoundError,
      )
      expect(await mountsBelow(suite.directory)).to.deep.equal([])
    })
  })

  describe('a layer tar', () => {
    it('makes of a sibling what the layer is', async () => {
      await base('base')
      await layer('upper', 'base', ...changed)
      await suite.driver.create('sibling', 'base')
      const tar = await diff('upper', 'base')
      const size = await apply('sibling', 'base', tar)
      expect(await look('sibling')).to.deep.equal(await look('upper'))
      expect(size).to.equal(await suite.driver.diffSize('upper', 'base'))
      expect(size).to.equal(await suite.driver.diffSize('sibling', 'base'))
    })

    it('of a whole tree makes it anew on nothing', async () => {
      await base('base')
      await layer('upper', 'base', ...changed)
      await suite.driver.create('copy', NO_PARENT)
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
      await suite.driver.create('squashed', 'base')
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
      await suite.driver.create('child', 'base')
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
      await suite.driver.create('sibling', 'base')
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
      await suite.driver.create('sibling', 'base')
      const tar = await suite.driver.diff('upper', 'base')
      const size = await suite.driver.applyDiff('sibling', 'base', tar)
      expect(size).to.equal(2 * large.length)
      expect(await look('sibling')).to.deep.equal(await look('upper'))
    })

    it('can be had of a parent and its child at once', async () => {
      await base('base')
      await layer('upper', 'base', ...changed)
      const alone = [await diff('base', NO_PARENT), await diff('upper', 'base')]
      const together = await Promise.all([
        diff('base', NO_PARENT),
        diff('upper', 'base'),
      ])
      expect(together).to.deep.equal(alone)
    })

    it('lets go of its layers when the reader walks away', async () => {
      await base('base')
      await layer('upper', 'base', file('big', Buffer.alloc(8_000_000)))
      const tar = await suite.driver.diff('upper', 'base')
      const ended = finished(tar).catch(() => undefined)
      tar.destroy()
      await ended
      await suite.driver.get('upper')
      await suite.driver.put('upper')
      expect(await mountsBelow(suite.directory)).to.deep.equal([])
    })

    it('may be taken of a running container, which goes on running', async () => {
      await base('base')
      await suite.driver.createReadWrite('container', 'base')
      const mountpoint = await suite.driver.get('container')
      await build(mountpoint, file('log', 'line\n'))
      await diff('container', 'base')
      await fs.appendFile(join(mountpoint, 'log'), 'another\n')
      await suite.driver.put('container')
      expect(await changes('container', 'base')).to.deep.equal({
        '/log': 'added',
      })
    })

    it('refuses layers that do not exist before its first byte', async () => {
      await base('base')
      await expectRejection(suite.driver.diff('absent', 'base'), NotFoundError)
      await expectRejection(suite.driver.diff('base', 'absent'), NotFoundError)
      expect(await mountsBelow(suite.directory)).to.deep.equal([])
    })
  })
}
