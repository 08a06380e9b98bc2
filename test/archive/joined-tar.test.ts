import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { joinTars } from '../../src/archive/joined-tar.ts'
import type { TarEntry } from '../../src/archive/tar/tar-entry.ts'
import { TarReader } from '../../src/archive/tar/tar-reader.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import {
  forgeEntry,
  forgeTar,
  TAR_END,
} from '../../src/conformance/forge-tar.ts'

describe('joinTars', () => {
  const big = 'x'.repeat(100_000)
  const zeros = '\0'.repeat(2048)

  it('gives all entries in order, with their data and all they say', async () => {
    const odd = {
      name: Buffer.from('b\xff', 'latin1'),
      content: zeros,
      mode: 0o4755,
      uid: 1000,
      gid: 1001,
      pax: { mtime: '-1.5', 'SCHILY.xattr.user.x': Buffer.from([0, 255]) },
    }
    const whole = await join(
      forgeTar({ name: 'a/', type: '5' }, { name: 'a/f', content: big }),
      forgeTar(odd),
      forgeTar(),
      forgeTar({ name: 'l', type: '2', linkName: 'a/f' }),
    )
    const entries = read(whole)
    expect(entries.map(({ name, data }) => [name, data.length])).to.deep.equal([
      ['a/', 0],
      ['a/f', 100_000],
      ['b\xff', 2048],
      ['l', 0],
    ])
    const [, , third, fourth] = entries
    expect(third?.entry).to.include({ mode: 0o4755, uid: 1000, gid: 1001 })
    expect(third?.entry.mtime).to.equal(-1_500_000_000n)
    expect(third?.entry.xattrs.get('user.x')).to.deep.equal(
      Buffer.from([0, 255]),
    )
    expect(fourth?.entry.linkName.toString()).to.equal('a/f')
  })

  it('takes members with any number of zero blocks at their ends', async () => {
    const padded = Buffer.concat([
      forgeTar({ name: 'a' }),
      Buffer.alloc(10_240),
    ])
    const whole = await join(padded, forgeTar({ name: 'b' }))
    expect(read(whole).map(({ name }) => name)).to.deep.equal(['a', 'b'])
  })

  it('is an empty tar of no members', async () => {
    expect(await join()).to.deep.equal(TAR_END)
  })

  it('fails, with its name, when a member cannot be opened', async () => {
    const members = [
      member('/', forgeTar({ name: 'a' })),
      {
        name: '/mnt/A',
        open: async () => {
          throw new Error('store is down')
        },
      },
    ]
    await expectRejection(
      (async () => buffer(await joinTars(members)))(),
      Error,
      /^"\/mnt\/A" cannot be archived: store is down$/,
    )
  })

  it('fails, with its name, when a member breaks off before its first byte', async () => {
    const failing = new Readable({
      read() {
        this.destroy(new Error('disk on fire'))
      },
    })
    const members = [
      member('/', forgeTar({ name: 'a' })),
      { name: '/mnt/A', open: async () => failing },
    ]
    const tar = await joinTars(members)
    await expectRejection(buffer(tar), Error, /"\/mnt\/A".*disk on fire/)
  })

  it('fails, with its name, when a member ends early', async () => {
    const cut = forgeEntry({ name: 'a', content: big }).subarray(0, 5000)
    const tar = joinTars([member('/mnt/A', cut)])
    await expectRejection(
      (async () => buffer(await tar))(),
      Error,
      /"\/mnt\/A" cannot be archived: The tar ends early/,
    )
  })

  it('opens a member only when its turn comes, and closes what it opened', async () => {
    const opened: Readable[] = []
    const endless = {
      name: '/',
      open: async () => {
        const chunk = forgeEntry({ name: 'a', content: big })
        const stream = new Readable({
          read() {
            this.push(chunk)
          },
        })
        opened.push(stream)
        return stream
      },
    }
    const tar = await joinTars([endless, endless])
    for await (const _chunk of tar) break
    await new Promise(setImmediate)
    expect(opened.map(({ destroyed }) => destroyed)).to.deep.equal([true])
  })
})

function member(
  name: string,
  tar: Buffer,
): { name: string; open: () => Promise<Readable> } {
  return { name, open: async () => Readable.from([tar]) }
}

async function join(...tars: readonly Buffer[]): Promise<Buffer> {
  const members = tars.map((tar, index) => member(`member ${index}`, tar))
  return buffer(await joinTars(members))
}

interface ReadEntry {
  readonly name: string
  readonly entry: TarEntry
  data: string
}

function read(tar: Buffer): readonly ReadEntry[] {
  const entries: ReadEntry[] = []
  const reader = new TarReader(
    {
      entry: (entry) => {
        const name = entry.name.toString('latin1')
        entries.push({ name, entry, data: '' })
      },
      data: (bytes) => {
        entries.at(-1)!.data += bytes.toString('latin1')
      },
      end: () => undefined,
    },
    { entries: 100, headerBytes: 100_000 },
  )
  reader.push(tar)
  reader.finish()
  return entries
}
