import * as fs from 'node:fs/promises'
import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { getXattr, setXattr } from '../../src/linux/xattr.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { binaryNumber, forgeTar } from '../../src/conformance/forge-tar.ts'
import { type ApplyLayer, useLayer } from '../support/layer.ts'
import { build, directory, portray } from '../../src/conformance/tree.ts'

/** What the things are like that entries make. */
export function describeLayerAttributes(applyLayer: ApplyLayer): void {
  const { dir, at, apply, applyTar, refusal, modeOf } = useLayer(applyLayer)

  describe('attributes', () => {
    it('keeps setuid, setgid and sticky, through a change of owner', async () => {
      await apply(
        { name: 'suid', mode: 0o4755, uid: 1000, content: 'x' },
        { name: 'sgid', mode: 0o2755, content: 'x' },
        { name: 'typed', mode: 0o104755, content: 'x' },
        { name: 'sticky/', type: '5', mode: 0o1777 },
        { name: 'group/', type: '5', mode: 0o2755, gid: 7 },
        { name: 'group/in', content: 'x' },
      )
      expect(await modeOf('suid')).to.equal('4755')
      expect((await fs.stat(at('suid'))).uid).to.equal(1000)
      expect(await modeOf('sgid')).to.equal('2755')
      expect(await modeOf('typed')).to.equal('4755')
      expect(await modeOf('sticky')).to.equal('1777')
      expect(await modeOf('group')).to.equal('2755')
      expect((await fs.stat(at('group/in'))).gid).to.equal(0)
    })

    it('lets no directory from below hand down its group or ACL', async () => {
      await build(dir.path, directory('g', { mode: 0o2777, gid: 77 }))
      const acl = Buffer.from(
        '0200000001000600ffffffff02000700630000000400' +
          '0400ffffffff10000700ffffffff20000400ffffffff',
        'hex',
      )
      await build(dir.path, directory('acl'))
      setXattr(at('acl'), 'system.posix_acl_default', acl)
      await apply(
        { name: 'g/f', content: 'x' },
        { name: 'g/d/', type: '5' },
        { name: 'g/implied/f' },
        { name: 'acl/f', content: 'x', mode: 0o640 },
        { name: 'acl/d/', type: '5', mode: 0o750 },
        { name: 'acl/implied/f', mode: 0o600 },
      )
      const found = await portray(dir.path)
      for (const path of ['g/f', 'g/d', 'g/implied', 'g/implied/f']) {
        expect(found[path], path).to.include({ owner: '0:0' })
      }
      expect(found['g/d']!.mode).to.equal('755')
      for (const path of ['f', 'd', 'implied', 'implied/f']) {
        expect(found[`acl/${path}`], path).not.to.have.property('xattrs')
      }
      expect(found['acl/f']!.mode).to.equal('640')
      expect(found['acl/d']!.mode).to.equal('750')
      expect(found['acl']!.xattrs).to.have.property('system.posix_acl_default')
    })

    it('keeps a directory’s time although things are made in it', async () => {
      await apply(
        { name: 'd/', type: '5', mtime: 1_500_000_000 },
        { name: 'd/f', content: 'x' },
        { name: 'd/e/', type: '5', mtime: 1_400_000_000 },
        { name: 'd/e/f', content: 'x' },
      )
      expect((await fs.stat(at('d'))).mtimeMs).to.equal(1_500_000_000_000)
      expect((await fs.stat(at('d/e'))).mtimeMs).to.equal(1_400_000_000_000)
    })

    it('keeps times to the nanosecond and before 1970', async () => {
      const times = {
        '1500000000.123456789': 1_500_000_000_123_456_789n,
        '-1': -1_000_000_000n,
        '-315619200.5': -315_619_200_500_000_000n,
      }
      for (const [mtime, expected] of Object.entries(times)) {
        await apply(
          { name: 'f', pax: { mtime }, content: 'x' },
          { name: 'd/', type: '5', pax: { mtime } },
          { name: 's', type: '2', linkName: 'x', pax: { mtime } },
          { name: 'p', type: '6', pax: { mtime } },
        )
        for (const path of ['f', 'd', 's', 'p']) {
          const stat = await fs.lstat(at(path), { bigint: true })
          expect(stat.mtimeNs, `${path} ${mtime}`).to.equal(expected)
        }
      }
    })

    it('gives a symlink its own owner and time, not its target’s', async () => {
      const before = await fs.lstat(at('file'), { bigint: true })
      await apply({
        name: 's',
        type: '2',
        linkName: 'file',
        uid: 9,
        mtime: 42,
      })
      const link = await fs.lstat(at('s'))
      expect([link.uid, link.mtimeMs]).to.deep.equal([9, 42_000])
      const after = await fs.lstat(at('file'), { bigint: true })
      expect([after.uid, after.mtimeNs]).to.deep.equal([
        before.uid,
        before.mtimeNs,
      ])
    })

    it('stores symlinks as they are, wherever they lead', async () => {
      const targets = ['/x', '../../x', '../../../../etc', 'l'.repeat(200)]
      await apply(
        ...targets.map((linkName, i) => ({
          name: `s${i}`,
          type: '2',
          linkName: 'cut',
          pax: { linkpath: linkName },
        })),
        { name: 'K', type: 'K', content: `${'k'.repeat(300)}\0` },
        { name: 'gnu', type: '2', linkName: 'cut' },
      )
      for (const [i, target] of targets.entries()) {
        expect(await fs.readlink(at(`s${i}`))).to.equal(target)
      }
      expect(await fs.readlink(at('gnu'))).to.equal('k'.repeat(300))
    })

    it('sets xattrs of any bytes, a file’s capabilities after its owner', async () => {
      const capability = Buffer.from(
        '0100000200040000000000000000000000000000',
        'hex',
      )
      const value = Buffer.from([0, 10, 255])
      await apply(
        {
          name: 'ping',
          content: 'x',
          uid: 5,
          mode: 0o755,
          pax: { 'SCHILY.xattr.security.capability': capability },
        },
        { name: 'f', pax: { 'SCHILY.xattr.user.x': value } },
        { name: 'd/', type: '5', pax: { 'SCHILY.xattr.trusted.x': value } },
        {
          name: 's',
          type: '2',
          linkName: 'f',
          pax: { 'SCHILY.xattr.trusted.x': value },
        },
      )
      expect(getXattr(at('ping'), 'security.capability')).to.deep.equal(
        capability,
      )
      expect(getXattr(at('f'), 'user.x')).to.deep.equal(value)
      expect(getXattr(at('d'), 'trusted.x')).to.deep.equal(value)
      expect(getXattr(at('s'), 'trusted.x')).to.deep.equal(value)
    })

    it('says so where an xattr cannot be kept', async () => {
      const error = await refusal({
        name: 'a/pipe',
        type: '6',
        pax: { 'SCHILY.xattr.user.x': 'v' },
      })
      expect(error.message).to.match(/"a\/pipe".*EPERM/)
    })

    it('makes devices and FIFOs with their numbers and modes', async () => {
      await apply(
        { name: 'null', type: '3', devMajor: 1, devMinor: 3, mode: 0o666 },
        { name: 'loop', type: '4', devMajor: 7, devMinor: 300, uid: 3 },
        { name: 'pipe', type: '6', mode: 0o4600, mtime: 5 },
      )
      expect(await portray(dir.path)).to.deep.include({
        null: {
          type: 'character',
          mode: '666',
          owner: '0:0',
          device: '1:3',
          mtime: 1_500_000_000_000_000_000n,
        },
        loop: {
          type: 'block',
          mode: '644',
          owner: '3:0',
          device: '7:300',
          mtime: 1_500_000_000_000_000_000n,
        },
        pipe: {
          type: 'fifo',
          mode: '4600',
          owner: '0:0',
          mtime: 5_000_000_000n,
        },
      })
    })

    it('refuses a device that there cannot be', async () => {
      const error = await refusal({ name: 'x', type: '3', devMajor: 5000 })
      expect(error.message).to.contain('no device 5000:0')
    })

    it('keeps owners that need PAX or binary numbers', async () => {
      await apply(
        { name: 'pax', pax: { uid: '3000000', gid: '3000001' } },
        { name: 'gnu', uid: binaryNumber(3_000_000n, 8) },
      )
      const { uid, gid } = await fs.stat(at('pax'))
      expect([uid, gid]).to.deep.equal([3_000_000, 3_000_001])
      expect((await fs.stat(at('gnu'))).uid).to.equal(3_000_000)
    })

    it('means its modes, whatever the umask of the process', async () => {
      const umask = process.umask(0o077)
      try {
        await apply(
          { name: 'f', mode: 0o666 },
          { name: 'd/', type: '5', mode: 0o777 },
          { name: 'p', type: '6', mode: 0o622 },
          { name: 'i/mplied' },
        )
      } finally {
        process.umask(umask)
      }
      expect(await modeOf('f')).to.equal('666')
      expect(await modeOf('d')).to.equal('777')
      expect(await modeOf('p')).to.equal('622')
      expect(await modeOf('i')).to.equal('755')
    })

    describe('in a user namespace', () => {
      const range = [{ containerId: 0, hostId: 100_000, size: 65_536 }]
      const idMaps = { uids: range, gids: range }

      it('maps owners, and those of implied directories', async () => {
        const tar = forgeTar(
          { name: 'root' },
          { name: 'user', uid: 1000, gid: 1000 },
          { name: 'i/mplied', uid: 5 },
        )
        await applyTar(tar, { idMaps })
        const owners = await Promise.all(
          ['root', 'user', 'i'].map(async (path) => {
            const { uid, gid } = await fs.stat(at(path))
            return [uid, gid]
          }),
        )
        expect(owners).to.deep.equal([
          [100_000, 100_000],
          [101_000, 101_000],
          [100_000, 100_000],
        ])
      })

      it('refuses an owner that has no place there', async () => {
        const tar = forgeTar({ name: 'x', uid: 70_000 })
        const error = await expectRejection(
          applyTar(tar, { idMaps }),
          InvalidArgumentError,
        )
        expect(error.message).to.match(/"x".*70000 cannot be mapped/)
      })
    })
  })
}
