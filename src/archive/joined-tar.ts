import type { Readable } from 'node:stream'
import { messageOf, NotSupportedError } from '../base/errors.ts'
import { startedStream } from '../base/started-stream.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { paddingOf } from './tar/header-layout.ts'
import type { TarEntry } from './tar/tar-entry.ts'
import { TarReader, type TarSink } from './tar/tar-reader.ts'
import { encodeHeader, END_OF_TAR } from './tar/tar-writer.ts'

/** One of the tars to be joined, opened when its turn comes. */
export interface TarMember {
  /** What it is called when it fails. */
  readonly name: string
  readonly open: () => Promise<Readable>
}

/**
 * All entries of `members`, one member after the other, as one tar.
 *
 * A member that cannot be opened, fails, or ends early fails the whole, with the
 * member's name: a part that is missing never looks like a part that was empty.
 */
export function joinTars(members: readonly TarMember[]): Promise<Readable> {
  return startedStream(joined(members))
}

async function* joined(
  members: readonly TarMember[],
): AsyncGenerator<Uint8Array, void> {
  for (const { name, open } of members) {
    try {
      yield* entriesOf(await open())
    } catch (cause) {
      throw new Error(`"${name}" cannot be archived: ${messageOf(cause)}`, {
        cause,
      })
    }
  }
  yield END_OF_TAR
}

/** The tar without what ends it. */
async function* entriesOf(tar: Readable): AsyncGenerator<Uint8Array, void> {
  const rewriter = new Rewriter()
  const reader = new TarReader(rewriter, DEFAULT_LIMITS)
  for await (const chunk of tar) {
    reader.push(chunk)
    yield rewriter.take()
  }
  reader.finish()
  yield rewriter.take()
}

/** Writes again what it is told of. */
class Rewriter implements TarSink {
  #pieces: Buffer[] = []
  #padding = 0

  entry(entry: TarEntry): void {
    const { type, size, sparse, mtime } = entry
    if (sparse !== undefined) {
      throw new NotSupportedError('Sparse files in a tar cannot be joined')
    }
    this.#padding = type === 'file' ? paddingOf(size) : 0
    const [seconds, nanoseconds] = parted(mtime)
    const header = encodeHeader({
      ...entry,
      name: entry.name.toString('latin1'),
      linkName: entry.linkName.toString('latin1'),
      size: type === 'file' ? size : 0,
      seconds,
      nanoseconds,
    })
    // Both the header's memory and that of the data are used again.
    this.#pieces.push(Buffer.from(header))
  }

  data(bytes: Buffer): void {
    this.#pieces.push(Buffer.from(bytes))
  }

  end(): void {
    this.#pieces.push(Buffer.alloc(this.#padding))
  }

  /** What was written since the last time. */
  take(): Buffer {
    const pieces = this.#pieces
    this.#pieces = []
    return Buffer.concat(pieces)
  }
}

const SECOND = 1_000_000_000n

function parted(mtime: bigint): [seconds: number, nanoseconds: number] {
  const nanoseconds = ((mtime % SECOND) + SECOND) % SECOND
  return [Number((mtime - nanoseconds) / SECOND), Number(nanoseconds)]
}
