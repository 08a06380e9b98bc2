import { execFileSync, spawn } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { layerDiff, packTree } from '../../src/archive/layer-diff.ts'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { mount, unmount } from '../../src/linux/mount.ts'
import { collect, readTar, type ReadTarEntry } from '../support/read-tar.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  build,
  change,
  device,
  directory,
  fifo,
  file,
  hardLink,
  remove,
  socket,
  sparseFile,
  type Step,
  symlink,
} from '../../src/conformance/tree.ts'

const LARGE_GIBIBYTES = Number(process.env.STOWAGE_LARGE_GIB ?? 1)

const V3_CAPABILITY = Buffer.from(
  `0100000300200000${'00'.repeat(12)}a0860100`,
  'hex',
)

describe('The diff of a layer', () => {
  needs('root')
  const home = useTempDir()
  let tree = ''
  let parent = ''

  beforeEach(async () => {
    tree = join(home.path, 'tree')
    parent = join(home.path, 'parent')
    await fs.mkdir(tree)
    await fs.mkdir(parent)
  })

  async function wholeTree(...steps: Step[]): Promise<ReadTarEntry[]> {
    await build(tree, ...steps)
    return readTar(await collect(await layerDiff({ tree })))
  }

  /** The diff of a copy of what `base` makes, to which `steps` were done. */
  async function diffBy(
    base: readonly Step[],
    ...steps: Step[]
  ): Promise<ReadTarEntry[]> {
    await build(parent, ...base)
    execFileSync('cp', ['-a', `${parent}/.`, tree])
    await build(tree, ...steps)
    return readTar(await collect(await layerDiff({ tree, parent })))
  }

  it('without changes is the end of a tar and nothing else', async () => {
    const tar = await collect(await layerDiff({ tree, parent }))
    expect(tar).to.deep.equal(Buffer.alloc(1024))
  })

  it('tells a deleted tree by one empty whiteout', async () => {
    const base = [directory('dir/sub'), file('dir/sub/file')]
    const entries = await diffBy(base, remove('dir/sub'))
    expect(entries.map(({ name }) => name)).to.deep.equal([
      'dir/',
      'dir/.wh.sub',
    ])
    expect(entries[1]).to.deep.equal({
      name: 'dir/.wh.sub',
      type: 'file',
      mode: '0',
      owner: '0:0',
      mtime: 0n,
      size: 0,
      content: '',
    })
  })

  it('carries the first of several new names with data, and links to it', async () => {
    const entries = await wholeTree(
      file('three', 'data'),
      hardLink('one', 'three'),
      hardLink('two', 'three'),
    )
    expect(
      entries.map(({ name, type, link }) => ({ name, type, link })),
    ).to.deep.equal([
      { name: 'one', type: 'file', link: undefined },
      { name: 'three', type: 'hardlink', link: 'one' },
      { name: 'two', type: 'hardlink', link: 'one' },
    ])
    expect(entries[0]).to.include({ content: 'data' })
  })

  it('carries a new name for an unchanged file with all its data', async () => {
    const base = [file('old', 'data', { mtime: 5 })]
    const [entry, ...rest] = await diffBy(base, hardLink('new', 'old'))
    expect(entry).to.include({ name: 'new', type: 'file', content: 'data' })
    expect(rest).to.deep.equal([])
  })

  it('is in the byte order of whole paths', async () => {
    const entries = await wholeTree(
      directory('zdir'),
      file('zdir/f'),
      directory('zdir-1'),
      file('zdir-1/f'),
      file('a b'),
    )
    expect(entries.map(({ name }) => name)).to.deep.equal([
      'a b',
      'zdir/',
      'zdir-1/',
      'zdir-1/f',
      'zdir/f',
    ])
  })

  it('keeps names and targets of any length and any bytes', async () => {
    const long = 'n'.repeat(150)
    const nested = `${'d'.repeat(90)}/${'e'.repeat(90)}`
    const odd = Buffer.from('\xff\xfe\n\\', 'latin1')
    const target = 't'.repeat(120)
    const entries = await wholeTree(
      file(long),
      directory(nested),
      file(`${nested}/f`),
      file(odd),
      symlink('link', target),
      symlink('odd', odd),
      file('x'.repeat(100)),
    )
    expect(entries.map(({ name, link }) => link ?? name)).to.deep.equal([
      `${'d'.repeat(90)}/`,
      `${nested}/`,
      `${nested}/f`,
      target,
      long,
      '\xff\xfe\n\\',
      'x'.repeat(100),
      '\xff\xfe\n\\',
    ])
  })

  it('says in a PAX header only what does not fit without', async () => {
    await build(tree, file('plain', 'x', { mtime: 1_500_000_000 }))
    const plain = await collect(await layerDiff({ tree }))
    expect(plain).to.have.length(512 + 512 + 1024)
    await build(tree, change('plain', { gid: 3_000_000 }))
    const tar = await collect(await layerDiff({ tree }))
    expect(tar).to.have.length(plain.length + 1024)
    expect(String(tar)).to.include('15 gid=3000000\n')
    expect(tar.toString('latin1', 0, 19)).to.equal('PaxHeaders.0/plain\0')
  })

  it('splits a long path at a slash rather than spend a PAX header on it', async () => {
    const path = `${'d'.repeat(99)}/${'f'.repeat(99)}`
    await build(tree, directory('d'.repeat(99)), file(path))
    const tar = await collect(await layerDiff({ tree }))
    expect(tar).to.have.length(512 + 512 + 1024)
  })

  it('keeps owners beyond what a header holds, and times before 1970', async () => {
    const [entry] = await wholeTree(
      file('old', '', { uid: 3_000_000, mtime: -315_619_200 }),
    )
    expect(entry).to.include({
      owner: '3000000:0',
      mtime: -315_619_200_000_000_000n,
    })
  })

  it('has whole seconds, rounded down', async () => {
    const [after, before] = await wholeTree(
      file('after', '', { mtime: 1_999_999_999n }),
      file('before', '', { mtime: -1n }),
    )
    expect(after).to.include({ mtime: 1_000_000_000n })
    expect(before).to.include({ mtime: -1_000_000_000n })
  })

  it('keeps permissions with setuid, setgid and sticky, and no bits of the type', async () => {
    const entries = await wholeTree(
      directory('sticky', { mode: 0o1777 }),
      file('su', '', { mode: 0o6755, uid: 70_000 }),
      symlink('link', 'su'),
    )
    expect(entries.map(({ mode }) => mode)).to.deep.equal([
      '777',
      '1777',
      '6755',
    ])
  })

  it('keeps FIFOs and devices with their numbers, but no sockets', async () => {
    const told: string[] = []
    await build(
      tree,
      fifo('fifo', { mode: 0o600 }),
      device('block', 'block', { major: 7, minor: 300 }),
      device('char', 'character', { major: 1, minor: 3 }),
      socket('socket'),
    )
    const tar = await layerDiff(
      { tree },
      {
        onOmission: ({ path, reason }) =>
          told.push(`${String(path)}: ${reason}`),
      },
    )
    const entries = readTar(await collect(tar))
    expect(
      entries.map(({ type, device: number }) => ({ type, number })),
    ).to.deep.equal([
      { type: 'block-device', number: '7:300' },
      { type: 'character-device', number: '1:3' },
      { type: 'fifo', number: undefined },
    ])
    expect(told).to.deep.equal(['socket: it is a socket'])
  })

  it('of a hole has zeros', async () => {
    const size = 1024 * 1024
    const [entry] = await wholeTree(
      sparseFile('sparse', size, { 500_000: 'in the middle' }),
    )
    expect(entry).to.include({ type: 'file', size })
    const disk = await fs.readFile(join(tree, 'sparse'))
    const tar = await collect(await layerDiff({ tree }))
    expect(tar.subarray(512, 512 + size).equals(disk)).to.equal(true)
  })

  it('never has a name that would delete something, and tells of it', async () => {
    const told: string[] = []
    await build(
      tree,
      file('.wh.foo'),
      directory('.wh.dir'),
      file('.wh.dir/x'),
      file('ok'),
    )
    const tar = await layerDiff(
      { tree },
      { onOmission: ({ path }) => told.push(String(path)) },
    )
    const entries = readTar(await collect(tar))
    expect(entries.map(({ name }) => name)).to.deep.equal(['ok'])
    expect(told).to.deep.equal(['.wh.dir', '.wh.foo'])
  })

  it('keeps capabilities, also those of a user namespace, and no other xattr', async () => {
    const xattrs = { 'security.capability': V3_CAPABILITY, 'user.x': 'y' }
    const [entry] = await wholeTree(file('able', '', { xattrs }))
    expect(entry!.xattrs).to.deep.equal({
      'security.capability': V3_CAPABILITY.toString('latin1'),
    })
  })

  it('has owners as the user namespace sees them, without a parent too', async () => {
    const map = [{ containerId: 0, hostId: 100_000, size: 65_536 }]
    const idMaps = { uids: map, gids: map }
    await build(tree, file('f', '', { uid: 100_000, gid: 101_000 }))
    const [entry] = readTar(
      await collect(await layerDiff({ tree }, { idMaps })),
    )
    expect(entry).to.include({ owner: '0:1000' })

    await build(tree, file('g', '', { uid: 5 }))
    const error = await expectRejection(
      (async () => collect(await layerDiff({ tree }, { idMaps })))(),
      InvalidArgumentError,
    )
    expect(error.message).to.match(/"g".*5/)
  })

  it('has no names of owners', async () => {
    await build(tree, file('f'))
    const tar = await collect(await layerDiff({ tree }))
    expect(tar.subarray(265, 265 + 64)).to.deep.equal(Buffer.alloc(64))
  })

  it('is the same bytes each time', async () => {
    await build(parent, file('gone'), directory('dir'))
    await build(tree, directory('dir'), file('dir/f', 'x'))
    const first = await collect(await layerDiff({ tree, parent }))
    const second = await collect(await layerDiff({ tree, parent }))
    expect(first.equals(second)).to.equal(true)
  })

  it('of a tree that is not there fails before the first byte', async () => {
    await expectRejection(
      layerDiff({ tree: join(home.path, 'absent') }),
      Error,
      /ENOENT.*absent/,
    )
  })

  describe('while somebody writes', () => {
    const BIG = 8 * 1024 * 1024

    /** Reads a first piece, lets `meddle` do its worst, and reads the rest. */
    async function interrupted(
      meddle: Meddle,
      writable: boolean,
    ): Promise<ReadTarEntry[]> {
      await build(tree, file('big', Buffer.alloc(BIG, 'x')), file('later', 'l'))
      const tar = await layerDiff({ tree }, { writable })
      const chunks: Buffer[] = []
      for await (const chunk of tar) {
        if (chunks.length === 0) await meddle(tree)
        chunks.push(Buffer.from(chunk as Buffer))
      }
      return readTar(Buffer.concat(chunks))
    }

    it('pads what becomes shorter and cuts what becomes longer', async () => {
      for (const meddle of [shrink, grow]) {
        const [big, later] = await interrupted(meddle, true)
        expect(big).to.include({ name: 'big', size: BIG })
        expect(later).to.include({ name: 'later', content: 'l' })
      }
    })

    it('leaves out what vanishes', async () => {
      const entries = await interrupted(vanish, true)
      expect(entries.map(({ name }) => name)).to.deep.equal(['big'])
    })

    it('never leaves the tree, whatever is renamed meanwhile', async () => {
      const secret = 'what lies outside'
      await build(
        home.path,
        directory('outside'),
        file('outside/file', secret),
        directory('tree/dir'),
        file('tree/dir/file', 'inside'),
        symlink('tree/link', '../outside'),
      )
      const swapping = spawn('sh', ['-c', SWAP], { cwd: tree })
      try {
        for (let round = 0; round < 100; round += 1) {
          const tar = await collect(
            await layerDiff({ tree }, { writable: true }),
          )
          expect(tar.includes(secret)).to.equal(false)
          readTar(tar)
        }
      } finally {
        swapping.kill()
      }
    })

    it('fails and names the path if nobody should be writing', async () => {
      for (const [meddle, path] of [
        [shrink, /big/],
        [grow, /big/],
        [vanish, /later/],
      ] as const) {
        await expectRejection(interrupted(meddle, false), Error, path)
      }
    })
  })

  it('fails and names the path of a file that cannot be read', async () => {
    await build(tree, file('a', 'readable'), file('write-only', ''))
    const unreadable = join(tree, 'write-only')
    const source = '/sys/bus/cpu/drivers_probe'
    mount({ type: 'bind', source, options: [] }, unreadable)
    try {
      await expectRejection(
        layerDiff({ tree }).then(collect),
        Error,
        /EACCES.*write-only/,
      )
    } finally {
      await unmount(unreadable)
    }
  })

  it('streams gibibytes in bounded memory', async function () {
    this.timeout(0)
    const size = LARGE_GIBIBYTES * 1024 ** 3
    await build(tree, sparseFile('large', size))
    const before = process.memoryUsage().rss
    let most = 0
    let streamed = 0
    for await (const chunk of await layerDiff({ tree })) {
      streamed += (chunk as Buffer).length
      most = Math.max(most, process.memoryUsage.rss())
    }
    expect(streamed).to.be.above(size)
    expect(most - before).to.be.below(200 * 1024 ** 2)
  })

  it('can be left by its reader midway, and stopped by a signal', async () => {
    await build(tree, file('big', Buffer.alloc(4 * 1024 * 1024)))
    const left = await layerDiff({ tree })
    for await (const _chunk of left) break
    expect(left.destroyed).to.equal(true)

    const controller = new AbortController()
    const stopped = await layerDiff({ tree }, { signal: controller.signal })
    controller.abort()
    await expectRejection(collect(stopped), Error, /abort/i)
    expect(await openFilesBelow(home.path)).to.deep.equal([])
  })
})

describe('The export of a tree', () => {
  needs('root')
  const home = useTempDir()

  it('has the root, all xattrs, nanoseconds, and names like whiteouts', async () => {
    await build(
      home.path,
      file('.wh.file', 'x', { mtime: 1n, xattrs: { 'user.a': '\0b' } }),
      directory('dir', { mtime: 2n, xattrs: { 'trusted.c': 'd' } }),
      change('.', { mode: 0o1770, mtime: 3n }),
    )
    const entries = readTar(await collect(await packTree(home.path)))
    const shown = entries.map(({ name, mode, mtime, xattrs }) => ({
      name,
      mode,
      mtime,
      xattrs,
    }))
    expect(shown).to.deep.equal([
      { name: './', mode: '1770', mtime: 3n, xattrs: undefined },
      { name: '.wh.file', mode: '644', mtime: 1n, xattrs: { 'user.a': '\0b' } },
      { name: 'dir/', mode: '755', mtime: 2n, xattrs: { 'trusted.c': 'd' } },
    ])
  })

  it('tells of an xattr that no record can name', async () => {
    const told: string[] = []
    await build(home.path, file('file', '', { xattrs: { 'user.a=b': '' } }))
    const tar = await packTree(home.path, {
      onOmission: ({ path, reason }) => told.push(`${String(path)}: ${reason}`),
    })
    const [, entry] = readTar(await collect(tar))
    expect(entry!.xattrs).to.equal(undefined)
    expect(told).to.have.length(1)
    expect(told[0]).to.match(/^file: .*user\.a=b/)
  })

  it('is of a part of the tree, under other names, if a filter says so', async () => {
    await build(
      home.path,
      directory('keep/sub'),
      file('keep/sub/file', 'k'),
      directory('drop'),
      file('drop/file', 'd'),
    )
    const filter = { include: ['keep'], strip: 'keep', rebase: 'new' }
    const entries = readTar(
      await collect(await packTree(home.path, { filter })),
    )
    expect(entries.map(({ name }) => name)).to.deep.equal([
      'new/',
      'new/sub/',
      'new/sub/file',
    ])
  })

  it('releases the tree once, whether it was read or could not be', async () => {
    let released = 0
    const release = async (): Promise<void> => {
      released += 1
    }
    await collect(await packTree(home.path, { release }))
    expect(released).to.equal(1)
    const absent = join(home.path, 'absent')
    await expectRejection(packTree(absent, { release }), Error, /ENOENT/)
    expect(released).to.equal(2)
  })
})

async function openFilesBelow(directory_: string): Promise<string[]> {
  const found: string[] = []
  for (const fd of await fs.readdir('/proc/self/fd')) {
    const target = await fs.readlink(`/proc/self/fd/${fd}`).catch(() => '')
    if (target.startsWith(directory_)) found.push(target)
  }
  return found
}

const shrink: Meddle = (tree) => fs.truncate(join(tree, 'big'), 5_000_000)
const grow: Meddle = (tree) => fs.appendFile(join(tree, 'big'), 'more')
const vanish: Meddle = (tree) => fs.rm(join(tree, 'later'))

/** Now `dir` is a directory, now a link out of the tree. */
const SWAP = 'while :; do mv dir d; mv link dir; mv dir link; mv d dir; done'

type Meddle = (tree: string) => Promise<void>
