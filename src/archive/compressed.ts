import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough, type Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { asError, NotSupportedError } from '../base/errors.ts'

/** How an archive can be compressed on its way out. */
export type Compression = 'none' | 'gzip' | 'zstd'

/**
 * What `bytes` are when compressed. Should they fail, so does the result: what is
 * short never looks whole. Should the result be destroyed, they are too.
 *
 * @throws NotSupportedError when there is nothing here that compresses so.
 */
export async function compressed(
  bytes: Readable,
  compression: Compression,
): Promise<Readable> {
  if (compression === 'none') return bytes
  if (compression === 'zstd') return zstandard(bytes)
  // As fast as it can: whoever wants it small takes zstd.
  return fed(bytes, createGzip({ level: 1 }))
}

function fed(bytes: Readable, into: Writable & Readable): Readable {
  into.once('close', () => bytes.destroy())
  void ending(into, () => pipeline(bytes, into))
  return into
}

/** By the command `zstd`, because the zlib of Node 20 does not know it. */
async function zstandard(bytes: Readable): Promise<Readable> {
  const child = spawn('zstd', ['--stdout', '--quiet', '-3'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  try {
    await once(child, 'spawn')
  } catch (cause) {
    bytes.destroy()
    throw new NotSupportedError(
      'An archive cannot be compressed by zstd: the command zstd is not installed',
      { cause },
    )
  }
  const out = new PassThrough()
  out.once('close', () => {
    bytes.destroy()
    child.kill('SIGKILL')
  })
  const exit = once(child, 'close')
  void ending(out, async () => {
    await Promise.all([
      pipeline(bytes, child.stdin),
      pipeline(child.stdout, out, { end: false }),
    ])
    const [code]: readonly unknown[] = await exit
    if (code !== 0)
      throw new Error(`The command zstd has failed: ${String(code)}`)
    out.end()
  })
  return out
}

/** Does `work`; should it fail, whoever reads `out` is told. */
async function ending(out: Readable, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    out.destroy(asError(error))
  }
}
