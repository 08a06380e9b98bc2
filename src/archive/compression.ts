import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import {
  asError,
  InvalidArgumentError,
  isErrno,
  messageOf,
  NotSupportedError,
} from '../base/errors.ts'

/** The bytes of a stream, in pieces of any size. */
export type Bytes = AsyncIterable<Buffer>

/** What compressed data begin with, and how they are unpacked. */
const FORMATS = [
  { magic: [0x1f, 0x8b], unpack: gunzipped },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: unzstd },
  { magic: [0x42, 0x5a, 0x68], unpack: refusal('bzip2') },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], unpack: refusal('xz') },
] as const

const LONGEST_MAGIC = 5

/**
 * What `bytes` are without their compression: by gzip, by zstd, or by nothing, as
 * they themselves say. All of them are read.
 *
 * @throws InvalidArgumentError when they are damaged.
 * @throws NotSupportedError when nothing here can unpack them.
 */
export async function* decompressed(
  bytes: Bytes,
): AsyncGenerator<Buffer, void> {
  const source = bytes[Symbol.asyncIterator]()
  try {
    const head = await headOf(source)
    const format = FORMATS.find(({ magic }) =>
      magic.every((byte, at) => head[at] === byte),
    )
    const all = rejoined(head, source)
    yield* format === undefined ? all : format.unpack(all)
    while ((await source.next()).done !== true);
  } finally {
    await source.return?.()
  }
}

async function headOf(source: AsyncIterator<Buffer>): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0)
  while (head.length < LONGEST_MAGIC) {
    const { value, done } = await source.next()
    if (done === true) break
    head = Buffer.concat([head, value])
  }
  return head
}

/** Ending it does not end `rest`: what an unpacker leaves is to be read. */
async function* rejoined(
  head: Buffer,
  rest: AsyncIterator<Buffer>,
): AsyncGenerator<Buffer, void> {
  if (head.length > 0) yield head
  for (;;) {
    const { value, done } = await rest.next()
    if (done === true) return
    yield value
  }
}

async function* gunzipped(bytes: Bytes): AsyncGenerator<Buffer, void> {
  const gunzip = createGunzip()
  const feeding = failureOf(pipeline(bytes, gunzip))
  try {
    yield* gunzip
  } catch (error) {
    throw isZlibError(error) ? damaged('gzip', error) : error
  } finally {
    gunzip.destroy()
    await feeding
  }
}

/** By the command `zstd`, because the zlib of Node 20 does not know it. */
async function* unzstd(bytes: Bytes): AsyncGenerator<Buffer, void> {
  const child = spawn('zstd', ['--decompress', '--stdout', '--quiet'])
  let complaint = ''
  child.stderr.on('data', (text: Buffer) => {
    complaint += text.toString()
  })
  const ending = exitOf(child)
  const feeding = failureOf(pipeline(bytes, child.stdin))
  try {
    yield* child.stdout
    const code = await ending
    const failure = await feeding
    // It closes its input when it fails; then it says why, and the pipe does not.
    if (failure !== undefined && !isErrno(failure, 'EPIPE')) throw failure
    if (code !== 0) throw damaged('zstd', new Error(complaint.trim()))
  } finally {
    child.kill('SIGKILL')
  }
}

/** @throws NotSupportedError when `child` cannot be started. */
async function exitOf(child: ChildProcess): Promise<number | null> {
  try {
    const [code] = await once(child, 'close')
    return typeof code === 'number' ? code : null
  } catch (cause) {
    throw new NotSupportedError(
      'Data compressed by zstd cannot be unpacked: the command zstd is not installed',
      { cause },
    )
  }
}

/** Why `work` fails, if it does. */
async function failureOf(work: Promise<void>): Promise<Error | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    return asError(error)
  }
}

function isZlibError(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    String(error.code).startsWith('Z_')
  )
}

function damaged(format: string, cause: unknown): InvalidArgumentError {
  return new InvalidArgumentError(
    `Data compressed by ${format} are damaged: ${messageOf(cause)}`,
    { cause },
  )
}

function refusal(format: string): () => AsyncGenerator<Buffer, void> {
  return () => {
    throw new NotSupportedError(
      `Data compressed by ${format} cannot be unpacked: gzip and zstd can`,
    )
  }
}
