import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { forgeTar } from '../../src/conformance/forge-tar.ts'

/** A layer tar, and what it is known by. */
export interface LayerTar {
  readonly bytes: Buffer
  readonly digest: string
  /** The bytes as a stream, in pieces as a network brings them. */
  readonly stream: () => Readable
}

/** A layer that has `files` by their paths; `''` makes a directory of a path that ends in a slash. */
export function layerTar(files: Readonly<Record<string, string>>): LayerTar {
  const entries = Object.entries(files).map(([name, content]) =>
    name.endsWith('/') ? { name, type: '5' } : { name, content },
  )
  return tarOf(forgeTar(...entries))
}

/** Any bytes in the place of a layer tar. */
export function tarOf(bytes: Buffer): LayerTar {
  return {
    bytes,
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    stream: () => Readable.from(pieces(bytes), { objectMode: false }),
  }
}

function* pieces(bytes: Buffer): Generator<Buffer, void> {
  for (let at = 0; at < bytes.length; at += 4096) {
    yield bytes.subarray(at, at + 4096)
  }
}
