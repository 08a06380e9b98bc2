import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { InvalidArgumentError } from '../../../src/base/errors.ts'
import { DEFAULT_LIMITS } from '../../../src/archive/limits.ts'
import type { TarEntry } from '../../../src/archive/tar/tar-entry.ts'
import { TarReader } from '../../../src/archive/tar/tar-reader.ts'
import { needs } from '../../../src/conformance/capabilities.ts'
import {
  binaryNumber,
  forgeEntry,
  type ForgedEntry,
  forgeHeader,
  forgeTar,
  sealed,
  TAR_END,
} from '../../../src/conformance/forge-tar.ts'
import { useTempDir } from '../../../src/conformance/temp-dir.ts'
import {
  build,
  device,
  directory,
  fifo,
  file,
  hardLink,
  sparseFile,
  symlink,
} from '../../../src/conformance/tree.ts'

interface Read extends TarEntry {
  readonly content: Buffer
}

/** All that `tar` holds, pushed to the reader in pieces of `step` bytes. */
function read(
  tar: Buffer,
  { step = tar.length, limits = DEFAULT_LIMITS } = {},
): Read[] {
  const found: Read[] = []
  let current: { entry: TarEntry; content: Buffer } | undefined
  const reader = new TarReader(
    {
      entry: (entry) => {
        current = { entry, content: Buffer.alloc(entry.size) }
      },
      data: (bytes, position) => {
        bytes.copy(current!.content, position)
      },
      end: () => {
        found.push({ ...current!.entry, content: current!.content })
      },
    },
    limits,
  )
  for (let at = 0; at < tar.length; at += Math.max(step, 1)) {
    reader.push(tar.subarray(at, at + step))
  }
  reader.finish()
  return found
}

function readOne(entry: ForgedEntry): Read {
  const [found, ...rest] = read(forgeTar(entry))
  expect(rest).to.deep.equal([])
  return found!
}

function names(entries: readonly Read[]): string[] {
  return entries.map(({ name }) => name.toString())
}

describe('TarReader', () => {
  it('reads a header field by field', () => {
    const entry = readOne({
      name: 'etc/motd',
      mode: 0o104755,
      uid: 5,
      gid: 6,
      mtime: 1_600_000_000,
      content: 'hello',
    })
    expect(entry).to.include({
      type: 'file',
      mode: 0o4755,
      uid: 5,
      gid: 6,
      size: 5,
      mtime: 1_600_000_000_000_000_000n,
      devMajor: 0,
    })
    expect(entry.name.toString()).to.equal('etc/motd')
    expect(entry.content.toString()).to.equal('hello')
  })

  it('tells every type of entry', () => {
    const tar = forgeTar(
      { name: 'f' },
      { name: 'old', type: '\0' },
      { name: 'old-directory/', type: '\0' },
      { name: 'h', type: '1', linkName: 'f' },
      { name: 's', type: '2', linkName: '/f' },
      { name: 'c', type: '3', devMajor: 1, devMinor: 3 },
      { name: 'b', type: '4', devMajor: 7, devMinor: 300 },
      { name: 'd/', type: '5' },
      { name: 'p', type: '6' },
    )
    expect(read(tar).map(({ type }) => type)).to.deep.equal([
      'file',
      'file',
      'directory',
      'hardlink',
      'symlink',
      'character-device',
      'block-device',
      'directory',
      'fifo',
    ])
    expect(read(tar)[6]).to.include({ devMajor: 7, devMinor: 300 })
    expect(read(tar)[3]!.linkName.toString()).to.equal('f')
  })

  for (const type of ['7', 'Z', 'D', 'V', 'M']) {
    it(`refuses the type ${type} by its number`, () => {
      expect(() => readOne({ name: 'x', type })).to.throw(
        InvalidArgumentError,
        `"x" has the unhandled tar header type ${type.charCodeAt(0)}`,
      )
    })
  }

  it('reads the same whatever pieces the bytes come in', () => {
    const tar = forgeTar(
      { name: 'a', content: 'x'.repeat(1300) },
      { name: 'b', pax: { path: 'b/'.repeat(150), mtime: '12.5' } },
      { name: 'c', content: 'y'.repeat(512) },
    )
    const whole = read(tar)
    for (const step of [1, 3, 511, 512, 513, 1024]) {
      expect(read(tar, { step })).to.deep.equal(whole)
    }
  })

  it('joins the prefix of ustar to the name, and that of star', () => {
    expect(readOne({ name: 'file', prefix: 'a/b' }).name.toString()).to.equal(
      'a/b/file',
    )
    const star = forgeHeader({ name: 'file', prefix: 'a/b' })
    star.write('tar\0', 508, 'latin1')
    star.write('00000000000', 476, 'latin1')
    expect(names(read(Buffer.concat([sealed(star), TAR_END])))).to.deep.equal([
      'a/b/file',
    ])
  })

  it('takes no prefix from GNU, whose header has other things there', () => {
    const entry = { name: 'file', prefix: '14000000000', magic: 'ustar  \0' }
    expect(readOne(entry).name.toString()).to.equal('file')
  })

  it('reads numbers in GNU’s binary form, times before 1970 among them', () => {
    const entry = readOne({
      name: 'x',
      uid: binaryNumber(3_000_000n, 8),
      gid: binaryNumber(4_294_967_294n, 8),
      mtime: binaryNumber(-1n, 12),
    })
    expect(entry).to.include({
      uid: 3_000_000,
      gid: 4_294_967_294,
      mtime: -1_000_000_000n,
    })
  })

  it('refuses negative sizes and owners, and letters for numbers', () => {
    for (const wrong of [
      { size: binaryNumber(-1n, 12) },
      { uid: binaryNumber(-1n, 8) },
      { uid: binaryNumber(2n ** 40n, 8) },
      { gid: Buffer.from('0000x00\0') },
    ]) {
      expect(() => readOne({ name: 'x', ...wrong })).to.throw(
        InvalidArgumentError,
      )
    }
  })

  it('lets PAX records win over the header', () => {
    const entry = readOne({
      name: 'short',
      type: '2',
      linkName: 'short',
      pax: {
        path: 'ü'.repeat(200),
        linkpath: 'l'.repeat(300),
        uid: '3000000',
        gid: '3000001',
        mtime: '1500000000.123456789',
      },
    })
    expect(entry.name.toString()).to.equal('ü'.repeat(200))
    expect(entry.linkName.toString()).to.equal('l'.repeat(300))
    expect(entry).to.include({
      uid: 3_000_000,
      gid: 3_000_001,
      mtime: 1_500_000_000_123_456_789n,
    })
  })

  it('reads PAX times before 1970 and of odd precision', () => {
    const mtimes = { '-1.25': -1_250_000_000n, '7.1': 7_100_000_000n }
    for (const [text, mtime] of Object.entries(mtimes)) {
      expect(readOne({ name: 'x', pax: { mtime: text } }).mtime).to.equal(mtime)
    }
  })

  it('keeps xattrs as the bytes they are', () => {
    const value = Buffer.from([0, 1, 0x0a, 0xff, 0x3d, 0])
    const { xattrs } = readOne({
      name: 'x',
      pax: { 'SCHILY.xattr.user.binary': value },
    })
    expect([...xattrs]).to.deep.equal([['user.binary', value]])
  })

  it('keeps names that are not UTF-8', () => {
    const name = Buffer.from([0x61, 0xff, 0x0a, 0x5c, 0xfe])
    expect(readOne({ name }).name).to.deep.equal(name)
    expect(readOne({ name: 'x', pax: { path: name } }).name).to.deep.equal(name)
  })

  it('applies records to the next entry alone, and ignores global ones', () => {
    const tar = forgeTar(
      { name: 'g', type: 'g', content: '10 path=g\n' },
      { name: 'first', pax: { path: 'renamed' } },
      { name: 'second' },
    )
    expect(names(read(tar))).to.deep.equal(['renamed', 'second'])
  })

  it('reads GNU’s long names and long links', () => {
    const long = `${'d/'.repeat(100)}file`
    const tar = forgeTar(
      { name: '././@LongLink', type: 'L', content: `${long}\0` },
      { name: '././@LongLink', type: 'K', content: `${long}2\0` },
      { name: 'cut', type: '2', linkName: 'cut' },
    )
    expect(names(read(tar))).to.deep.equal([long])
    expect(read(tar)[0]!.linkName.toString()).to.equal(`${long}2`)
  })

  it('refuses malformed PAX records', () => {
    for (const content of [
      '5 a=b\n',
      'x a=b\n',
      '6 a=b',
      '99 a=b\n',
      '6 a=bX',
      '4 a\n',
      '00000000006 a=b\n',
    ]) {
      expect(
        () => read(forgeTar({ name: 'p', type: 'x', content }, { name: 'f' })),
        content,
      ).to.throw(InvalidArgumentError)
    }
    expect(() => readOne({ name: 'x', pax: { path: 'a\0b' } })).to.throw('NUL')
  })

  describe('reading sparse files', () => {
    const runs = { 0: 'begin', 4096: 'middle' }
    const expected = Buffer.alloc(8192)
    expected.write('begin', 0)
    expected.write('middle', 4096)
    const data = Object.values(runs).join('')

    it('reads the PAX form 0.0', () => {
      const pax = Buffer.from(
        [
          '26 GNU.sparse.numblocks=2\n',
          '24 GNU.sparse.size=8192\n',
          '23 GNU.sparse.offset=0\n',
          '25 GNU.sparse.numbytes=5\n',
          '26 GNU.sparse.offset=4096\n',
          '25 GNU.sparse.numbytes=6\n',
        ].join(''),
      )
      const tar = forgeTar(
        { name: 'pax', type: 'x', content: pax },
        { name: 'sparse', content: data },
      )
      expect(read(tar)[0]!.content).to.deep.equal(expected)
    })

    it('reads the PAX form 0.1', () => {
      const entry = readOne({
        name: 'GNUSparseFile.1/sparse',
        content: data,
        pax: {
          'GNU.sparse.size': '8192',
          'GNU.sparse.name': 'sparse',
          'GNU.sparse.map': '0,5,4096,6',
        },
      })
      expect(entry.name.toString()).to.equal('sparse')
      expect(entry.content).to.deep.equal(expected)
    })

    it('reads the PAX form 1.0', () => {
      const map = Buffer.alloc(512)
      map.write('2\n0\n5\n4096\n6\n')
      const entry = readOne({
        name: 'GNUSparseFile.1/sparse',
        content: Buffer.concat([map, Buffer.from(data)]),
        pax: {
          'GNU.sparse.major': '1',
          'GNU.sparse.minor': '0',
          'GNU.sparse.name': 'sparse',
          'GNU.sparse.realsize': '8192',
        },
      })
      expect(entry).to.include({ size: 8192 })
      expect(entry.sparse).to.deep.equal([
        { offset: 0, length: 5 },
        { offset: 4096, length: 6 },
      ])
      expect(entry.content).to.deep.equal(expected)
    })

    it('reads one that is nothing but a hole', () => {
      const pax = { 'GNU.sparse.size': '8192', 'GNU.sparse.map': '' }
      expect(readOne({ name: 'x', pax })).to.deep.include({
        size: 8192,
        sparse: [],
      })
    })

    it('refuses maps that contradict themselves', () => {
      for (const map of ['0,5,3,6', '0,5,8190,6', '0,5', '0,5,4096', '0,a']) {
        const pax = { 'GNU.sparse.size': '8192', 'GNU.sparse.map': map }
        expect(() => readOne({ name: 'x', content: data, pax }), map).to.throw(
          InvalidArgumentError,
        )
      }
    })

    it('refuses a 1.0 map that its data cannot hold', () => {
      const pax = { 'GNU.sparse.major': '1', 'GNU.sparse.realsize': '1' }
      expect(() =>
        readOne({ name: 'x', content: '9\n'.padEnd(512, '\0'), pax }),
      ).to.throw(InvalidArgumentError)
    })
  })

  describe('at the end of the tar', () => {
    const tar = forgeTar({ name: 'a', content: 'x'.repeat(700) }, { name: 'b' })

    it('takes no bytes at all for an empty archive', () => {
      expect(read(Buffer.alloc(0))).to.deep.equal([])
      expect(read(TAR_END)).to.deep.equal([])
    })

    it('reads past whatever follows', () => {
      const garbage = Buffer.alloc(3000, 'garbage')
      expect(names(read(Buffer.concat([tar, garbage])))).to.deep.equal([
        'a',
        'b',
      ])
    })

    it('refuses a tar that is cut, wherever that is', () => {
      const end = tar.length - TAR_END.length
      for (let length = 1; length <= end; length += 7) {
        expect(() => read(tar.subarray(0, length)), `${length}`).to.throw(
          InvalidArgumentError,
          /ends early/,
        )
      }
      expect(() => read(tar.subarray(0, end))).to.throw(/ends early/)
      expect(() => read(tar.subarray(0, end + 100))).to.throw(/ends early/)
    })

    it('names the entry in which a tar ends', () => {
      expect(() => read(tar.subarray(0, 600))).to.throw('in or after "a"')
    })

    it('refuses a lone block of zeros between entries', () => {
      const zeros = Buffer.alloc(512)
      const entry = forgeEntry({ name: 'a' })
      expect(() => read(Buffer.concat([zeros, entry, TAR_END]))).to.throw(
        'a lone block of zeros',
      )
    })
  })

  describe('given what is not a tar', () => {
    it('refuses garbage at its first byte', () => {
      expect(() => read(Buffer.alloc(2048, 'garbage'))).to.throw(
        InvalidArgumentError,
        'Not a tar',
      )
    })

    it('refuses a header with any byte changed', () => {
      const tar = forgeTar({ name: 'file' })
      for (let i = 0; i < 512; i++) {
        // The blank that ends the checksum is the one byte that nobody reads.
        if (i === 154 || i === 155) continue
        const changed = Buffer.from(tar)
        changed[i]! ^= 1
        expect(() => read(changed), `byte ${i}`).to.throw(InvalidArgumentError)
      }
    })

    it('accepts the signed checksums of old writers', () => {
      const header = forgeHeader({ name: 'ÿ' })
      const sum = Number.parseInt(header.toString('latin1', 148, 154), 8)
      const signed = sum - 2 * 256
      header.write(signed.toString(8).padStart(6, '0'), 148)
      expect(read(Buffer.concat([header, TAR_END]))).to.have.length(1)
    })
  })

  describe('beyond a limit', () => {
    it('refuses more entries than allowed', () => {
      const tar = forgeTar({ name: 'a' }, { name: 'b' }, { name: 'c' })
      const limits = { ...DEFAULT_LIMITS, entries: 2 }
      expect(() => read(tar, { limits })).to.throw('more than 2 entries')
    })

    it('refuses headers that are too long, singly or together', () => {
      const limits = { ...DEFAULT_LIMITS, headerBytes: 1000 }
      const long = forgeTar({ name: 'a', pax: { path: 'x'.repeat(1000) } })
      expect(() => read(long, { limits })).to.throw('exceed 1000 bytes')
      const pax = { name: 'p', type: 'x', content: '500 a='.padEnd(499, 'v') }
      const entry = { ...pax, content: `${pax.content}\n` }
      const many = forgeTar(entry, entry, entry, { name: 'f' })
      expect(() => read(many, { limits })).to.throw('exceed 1000 bytes')
    })
  })
})

describe('TarReader, given what other programs write,', () => {
  needs('root', 'gnu tar', 'bsdtar')
  const dir = useTempDir()
  const long = 'long-'.repeat(45)

  async function makeTree(): Promise<string> {
    const root = join(dir.path, 'tree')
    await fs.mkdir(root)
    await build(
      root,
      directory('d', { mode: 0o1777 }),
      file('d/setuid', 'content', { mode: 0o4755, uid: 3_000_000, gid: 7 }),
      file('d/old', '', { mtime: -1_000_000_000n }),
      file(`d/${long}`, 'long'),
      hardLink('d/zz-linked', 'd/setuid'),
      symlink('d/link', `../${long}`),
      fifo('d/fifo'),
      device('d/null', 'character', { major: 1, minor: 3 }),
      sparseFile('d/sparse', 1 << 20, { 65_536: 'island' }),
      file('d/xattr', 'x', { xattrs: { 'user.a': Buffer.from([0, 255, 10]) } }),
    )
    return root
  }

  const programs: Record<string, readonly string[]> = {
    'GNU tar’s gnu format': ['tar', '--format=gnu'],
    'GNU tar’s posix format': ['tar', '--format=posix', '--xattrs'],
    'GNU tar’s old sparse files': ['tar', '--format=gnu', '--sparse'],
    'GNU tar’s sparse 0.0': ['tar', '--sparse-version=0.0', '-S', '-Hposix'],
    'GNU tar’s sparse 0.1': ['tar', '--sparse-version=0.1', '-S', '-Hposix'],
    'GNU tar’s sparse 1.0': ['tar', '--sparse-version=1.0', '-S', '-Hposix'],
    'bsdtar’s pax format': ['bsdtar', '--format=pax', '--xattrs'],
    'bsdtar’s gnu format': ['bsdtar', '--format=gnutar'],
  }
  for (const [what, [program, ...options]] of Object.entries(programs)) {
    it(`reads ${what}`, async () => {
      const root = await makeTree()
      const tar = execFileSync(
        program!,
        ['-c', ...options, '-f', '-', '-C', root, '--', 'd'],
        { maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'ignore'] },
      )
      const entries = new Map(
        read(tar).map((entry) => [entry.name.toString(), entry]),
      )
      expect([...entries.keys()].toSorted()).to.deep.equal(
        ['d/', 'd/fifo', 'd/link', `d/${long}`, 'd/null', 'd/old', 'd/setuid']
          .concat(['d/sparse', 'd/xattr', 'd/zz-linked'])
          .toSorted(),
      )
      expect(entries.get('d/')).to.include({ type: 'directory', mode: 0o1777 })
      expect(entries.get('d/fifo')).to.include({ type: 'fifo' })
      expect(entries.get('d/null')).to.include({ devMajor: 1, devMinor: 3 })
      // bsdtar writes 0 there for times before 1970.
      if (!options.includes('--format=gnutar')) {
        expect(entries.get('d/old')!.mtime).to.equal(-1_000_000_000n)
      }
      expect(entries.get('d/link')!.linkName.toString()).to.equal(`../${long}`)
      const [one, two] = ['d/setuid', 'd/zz-linked'].map((n) => entries.get(n)!)
      const data = one!.type === 'file' ? one! : two!
      expect(data).to.include({ mode: 0o4755, uid: 3_000_000, gid: 7 })
      expect(data.content.toString()).to.equal('content')
      const island = entries.get('d/sparse')!
      expect(island.content).to.have.length(1 << 20)
      expect(island.content.toString('utf8', 65_536, 65_542)).to.equal('island')
      if (options.includes('--xattrs')) {
        expect(entries.get('d/xattr')!.xattrs.get('user.a')).to.deep.equal(
          Buffer.from([0, 255, 10]),
        )
      }
    })
  }

  it('reads sparse files with more runs than one map holds', async () => {
    const root = join(dir.path, 'tree')
    await fs.mkdir(root)
    const pieces: Record<number, string> = {}
    for (let i = 0; i < 60; i++) pieces[i * 65_536] = `piece ${i}`
    await build(root, sparseFile('sparse', 60 * 65_536, pieces))
    const expected = await fs.readFile(join(root, 'sparse'))
    for (const format of ['gnu', 'posix']) {
      const tar = execFileSync('tar', [
        '-cS',
        `--format=${format}`,
        '-f',
        '-',
        '-C',
        root,
        'sparse',
      ])
      const [entry] = read(tar)
      expect(entry!.sparse!.length).to.be.greaterThan(50)
      expect(entry!.content.equals(expected)).to.equal(true)
    }
  })
})
