import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import { InvalidArgumentError, NotFoundError } from '../base/errors.ts'
import { type Driver, NO_PARENT } from '../graph/driver.ts'
import { mountsBelow } from '../linux/mountinfo.ts'
import { expectRejection } from './expect-rejection.ts'
import { forgeTar, TAR_END } from './forge-tar.ts'
import { directory, file, symlink } from './tree.ts'
import type { Diffs } from './use-diffs.ts'
import type { DriverSuite } from './use-driver.ts'

/** What becomes of a layer when a tar is applied to it. */
export function describeApplying(
  suite: DriverSuite<Driver>,
  diffs: Diffs,
): void {
  const { layer, within } = suite
  const { base, look, apply, changes } = diffs

  describe('applying', () => {
    it('deletes what whiteouts name, and keeps what the parent has', async () => {
      await base('base')
      const before = await look('base')
      await suite.driver.create('child', 'base')
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
      await suite.driver.create('child', 'base')
      const tar = forgeTar({ name: 'etc/deeper/x', content: 'x' })
      await apply('child', 'base', tar)
      const found = (await look('child')).etc
      expect([found?.mode, found?.owner]).to.deep.equal([etc?.mode, etc?.owner])
    })

    it('follows a parent’s link to a directory, as Docker does', async () => {
      await layer(
        'base',
        NO_PARENT,
        directory('usr/lib'),
        file('usr/lib/old', 'old'),
        symlink('lib', 'usr/lib'),
      )
      await suite.driver.create('child', 'base')
      const tar = forgeTar({ name: 'lib/new', content: 'new' })
      await apply('child', 'base', tar)
      const found = await look('child')
      expect(found).to.include.keys('usr/lib/new', 'usr/lib/old')
      expect(found.lib?.type).to.equal('symlink')
    })

    it('links to a file that only the parent has', async () => {
      await base('base')
      await suite.driver.create('child', 'base')
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
      await suite.driver.create('child', 'base')
      expect(await apply('child', 'base')).to.equal(0)
      expect(await look('child')).to.deep.equal(await look('base'))
    })

    it('reads to the very end, whatever follows the tar', async () => {
      await suite.driver.create('base', NO_PARENT)
      const tar = Readable.from([
        forgeTar({ name: 'x', content: 'x' }),
        Buffer.alloc(10_000_000),
      ])
      expect(await suite.driver.applyDiff('base', NO_PARENT, tar)).to.equal(1)
      expect(tar.readableEnded).to.equal(true)
    })

    it('is done once to a layer', async () => {
      await base('base')
      await suite.driver.create('child', 'base')
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
        await suite.driver.create('child', 'base')
        await expectRejection(
          suite.driver.applyDiff('child', 'base', Readable.from(tar())),
          Error,
        )
        await suite.reopen()
        expect(await suite.driver.exists('child')).to.equal(false)
        await expectRejection(
          suite.driver.get('child'),
          NotFoundError,
          /"child"/,
        )
        await expectRejection(suite.driver.diff('child', 'base'), NotFoundError)
        await expectRejection(
          suite.driver.create('more', 'child'),
          NotFoundError,
        )
        await expectRejection(
          apply('child', 'base', forgeTar({ name: 'x' })),
          Error,
        )
        await suite.driver.put('child')
        await suite.driver.remove('child')
        await suite.driver.create('child', 'base')
        await apply('child', 'base', forgeTar({ name: 'x', content: 'x' }))
        expect(await changes('child', 'base')).to.deep.equal({
          '/x': 'added',
        })
      })
    }

    it('refuses a layer that another stands on', async () => {
      await base('base')
      await suite.driver.create('child', 'base')
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
      await suite.driver.create('absent', NO_PARENT)
      await apply('absent', NO_PARENT, TAR_END)
    })

    it('is done to a layer that Docker holds, and it sees it', async () => {
      await base('base')
      await suite.driver.create('child', 'base')
      const mountpoint = await suite.driver.get('child')
      await apply('child', 'base', forgeTar({ name: 'x', content: 'new' }))
      const text = await fs.readFile(join(mountpoint, 'x'), 'utf8')
      expect(text).to.equal('new')
      await suite.driver.put('child')
      expect(await mountsBelow(suite.directory)).to.deep.equal([])
    })
  })
}
