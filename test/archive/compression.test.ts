import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { decompressed } from '../../src/archive/compression.ts'
import {
  InvalidArgumentError,
  NotSupportedError,
} from '../../src/base/errors.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'

const DATA = Buffer.concat([randomBytes(300_000), Buffer.alloc(300_000, 'x')])

describe('decompressed', () => {
  let read: number

  beforeEach(() => {
    read = 0
  })

  /** What comes out of `bytes`, which come in pieces of `size`. */
  function unpack(bytes: Buffer, size = 1000): Promise<Buffer> {
    return buffer(decompressed(pieces(bytes, size)))
  }

  async function* pieces(
    bytes: Buffer,
    size: number,
  ): AsyncGenerator<Buffer, void> {
    for (; read < bytes.length; read += size) {
      yield bytes.subarray(read, read + size)
    }
  }

  it('passes on what is not compressed, however short', async () => {
    for (const bytes of [DATA, Buffer.from('abc'), Buffer.alloc(0)]) {
      read = 0
      expect(await unpack(bytes)).to.deep.equal(bytes)
    }
  })

  it('unpacks gzip, in pieces of any size, and several members', async () => {
    const packed = gzipSync(DATA)
    expect(await unpack(packed, 7000)).to.deep.equal(DATA)
    read = 0
    expect(await unpack(gzipSync('short'), 1)).to.deep.equal(
      Buffer.from('short'),
    )
    read = 0
    const two = Buffer.concat([packed, packed])
    expect(await unpack(two)).to.deep.equal(Buffer.concat([DATA, DATA]))
  })

  it('reads what follows the end of gzip, if it is nothing but zeros', async () => {
    const packed = Buffer.concat([gzipSync('short'), Buffer.alloc(500_000)])
    expect((await unpack(packed)).toString()).to.equal('short')
    expect(read).to.be.at.least(packed.length)
  })

  it('refuses gzip that is cut short, broken, or followed by something', async () => {
    const packed = gzipSync(DATA)
    const broken = Buffer.from(packed).fill(0, 1000, 2000)
    for (const bytes of [
      packed.subarray(0, -10),
      broken,
      Buffer.concat([packed, Buffer.from('garbage')]),
    ]) {
      read = 0
      await expectRejection(unpack(bytes), InvalidArgumentError, /gzip/)
    }
  })

  it('refuses bzip2 and xz by their names', async () => {
    const bzip2 = Buffer.from('BZh91AY&SY')
    await expectRejection(unpack(bzip2), NotSupportedError, /bzip2/)
    read = 0
    const xz = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])
    await expectRejection(unpack(xz), NotSupportedError, /xz/)
  })

  for (const [format, pack] of [
    ['nothing', (bytes: Buffer) => bytes],
    ['gzip', (bytes: Buffer) => gzipSync(bytes)],
  ] as const) {
    it(`fails as the source of data compressed by ${format} fails`, async () => {
      const packed = pack(DATA)
      const unpacking = buffer(decompressed(failing(packed)))
      await expectRejection(unpacking, Error, /connection lost/)
    })

    it(`lets go of data compressed by ${format} when the reader walks away`, async () => {
      const source = Readable.from(pieces(pack(DATA), 1000))
      for await (const _chunk of decompressed(source)) break
      await new Promise(setImmediate)
      expect(source.destroyed).to.equal(true)
    })
  }

  describe('with zstd', () => {
    needs('zstd')

    it('unpacks it', async () => {
      expect(await unpack(zstd(DATA))).to.deep.equal(DATA)
    })

    it('refuses it when it is cut short', async () => {
      const packed = zstd(DATA).subarray(0, -10)
      await expectRejection(unpack(packed), InvalidArgumentError, /zstd/)
    })

    it('fails as its source fails', async () => {
      const unpacking = buffer(decompressed(failing(zstd(DATA))))
      await expectRejection(unpacking, Error, /connection lost/)
    })

    it('ends the command when the reader walks away', async () => {
      const source = Readable.from(pieces(zstd(DATA), 1000))
      for await (const _chunk of decompressed(source)) break
      await new Promise(setImmediate)
      expect(source.destroyed).to.equal(true)
    })
  })
})

async function* failing(bytes: Buffer): AsyncGenerator<Buffer, void> {
  yield bytes.subarray(0, 100_000)
  throw new Error('connection lost')
}

function zstd(bytes: Buffer): Buffer {
  return execFileSync('zstd', ['--stdout', '--quiet'], { input: bytes })
}
