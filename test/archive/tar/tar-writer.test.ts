import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import * as fc from 'fast-check'
import { layerDiff, packTree } from '../../../src/archive/layer-diff.ts'
import { NO_XATTRS } from '../../../src/archive/tar/tar-entry.ts'
import {
  encodeHeader,
  END_OF_TAR,
  type TarHeader,
} from '../../../src/archive/tar/tar-writer.ts'
import { needs } from '../../../src/conformance/capabilities.ts'
import { collect, readTar } from '../../support/read-tar.ts'
import { useTempDir } from '../../../src/conformance/temp-dir.ts'
import {
  build,
  change,
  device,
  directory,
  fifo,
  file,
  hardLink,
  portray,
  sparseFile,
  symlink,
} from '../../../src/conformance/tree.ts'

const PLAIN: TarHeader = {
  name: 'name',
  type: 'file',
  linkName: '',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  seconds: 0,
  nanoseconds: 0,
  devMajor: 0,
  devMinor: 0,
  xattrs: NO_XATTRS,
}

/** Text of bytes that tar can carry: none of them NUL. */
const text = fc
  .uint8Array({ minLength: 1, maxLength: 300 })
  .map((bytes) =>
    Buffer.from(bytes.map((byte) => byte || 0x41)).toString('latin1'),
  )

describe('A tar header', () => {
  it('reads back as it was written, whatever it tells', () => {
    const header = fc.record({
      name: text,
      linkName: text,
      mode: fc.nat(0o7777),
      uid: fc.nat(4_294_967_294),
      gid: fc.nat(4_294_967_294),
      seconds: fc.integer({ min: -(2 ** 33), max: 2 ** 35 }),
      nanoseconds: fc.nat(999_999_999),
    })
    fc.assert(
      fc.property(header, (fields) => {
        const bytes = encodeHeader({ ...PLAIN, ...fields, type: 'symlink' })
        const [read] = readTar(Buffer.concat([bytes, END_OF_TAR]))
        expect(read).to.deep.equal({
          name: fields.name,
          type: 'symlink',
          mode: fields.mode.toString(8),
          owner: `${fields.uid}:${fields.gid}`,
          mtime:
            BigInt(fields.seconds) * 1_000_000_000n +
            BigInt(fields.nanoseconds),
          link: fields.linkName,
        })
      }),
    )
  })

  it('counts the digits of a record’s length where they carry over', () => {
    for (let length = 60; length < 1100; length += 1) {
      const name = 'ü'.padEnd(length, 'n')
      const header = encodeHeader({ ...PLAIN, name })
      const [read] = readTar(Buffer.concat([header, END_OF_TAR]))
      expect(read!.name).to.equal(name)
    }
  })
})

describe('A tar of ours, read by others', () => {
  needs('root', 'gnu tar', 'bsdtar')
  const home = useTempDir()
  let tree = ''

  beforeEach(async () => {
    tree = join(home.path, 'tree')
    const long = 'n'.repeat(180)
    await build(
      home.path,
      directory('tree/dir', { mode: 0o1777, uid: 5 }),
      file('tree/dir/su', 'root', { mode: 0o4755, uid: 3_000_000, mtime: 7 }),
      hardLink('tree/dir/zu', 'tree/dir/su'),
      file(`tree/${long}`, 'x'.repeat(5000), { mtime: 1_123_456_789n }),
      directory(`tree/${'d'.repeat(90)}`),
      file(`tree/${'d'.repeat(90)}/${'f'.repeat(90)}`, 'split', { mtime: 3 }),
      file('tree/ünï', 'old', { mtime: -315_619_200 }),
      file('tree/marked', '', { xattrs: { 'user.x': 'a\0b\n', 'user.y': '' } }),
      symlink('tree/link', 't'.repeat(150), { mtime: 5 }),
      symlink('tree/away', '/etc', { uid: 9 }),
      fifo('tree/fifo', { mode: 0o600 }),
      device('tree/block', 'block', { major: 7, minor: 300 }),
      device('tree/null', 'character', { major: 1, minor: 3 }),
      sparseFile('tree/sparse', 3_000_000, { 2_000_000: 'in the middle' }),
      change('tree/dir', { mtime: 1_500_000_000 }),
      change(`tree/${'d'.repeat(90)}`, { mtime: 9 }),
      change('tree', { mtime: 4 }),
    )
  })

  for (const [program, ...options] of [
    ['tar', '--xattrs', '--xattrs-include=*', '--numeric-owner', '-xpf', '-'],
    ['bsdtar', '--xattrs', '--numeric-owner', '-xpf', '-'],
  ] as const) {
    it(`is the same tree to ${program}, from an export`, async () => {
      const tar = await collect(await packTree(tree))
      const copy = await extracted(program, options, tar)
      // bsdtar gives the place that it was told to extract to no time.
      const { '.': _copied, ...found } = await portray(copy)
      const { '.': _root, ...wanted } = await portray(tree)
      expect(found).to.deep.equal(wanted)
    })

    it(`is the same tree to ${program}, from a layer`, async () => {
      const tar = await collect(await layerDiff({ tree }))
      const copy = await extracted(program, options, tar)
      const kept = { wholeSeconds: true, without: ['xattrs'] } as const
      const { '.': _copied, ...found } = await portray(copy, kept)
      const { '.': _root, ...wanted } = await portray(tree, kept)
      expect(found).to.deep.equal(wanted)
    })
  }

  async function extracted(
    program: string,
    options: readonly string[],
    tar: Buffer,
  ): Promise<string> {
    const copy = join(home.path, 'copy')
    await fs.mkdir(copy)
    execFileSync(program, ['-C', copy, ...options], {
      input: tar,
      maxBuffer: 1 << 26,
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    })
    return copy
  }
})
