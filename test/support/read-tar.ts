import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { DEFAULT_LIMITS } from '../../src/archive/limits.ts'
import type { TarEntry } from '../../src/archive/tar/tar-entry.ts'
import { TarReader } from '../../src/archive/tar/tar-reader.ts'

/** An entry in values that read well in a failed comparison. */
export interface ReadTarEntry {
  readonly name: string
  readonly type: string
  readonly mode: string
  readonly owner: string
  readonly mtime: bigint
  readonly link?: string
  readonly size?: number
  /** Of short files; of longer ones their SHA-256. */
  readonly content?: string
  readonly device?: string
  readonly xattrs?: Readonly<Record<string, string>>
}

/** All bytes of a stream, copied: it may use its memory again. */
export async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Buffer))
  return Buffer.concat(chunks)
}

/** The entries of a tar in their order, names as Latin-1. */
export function readTar(tar: Buffer): ReadTarEntry[] {
  const found: ReadTarEntry[] = []
  let current: { entry: TarEntry; content: Buffer } | undefined
  const reader = new TarReader(
    {
      entry: (entry) => {
        const length = entry.type === 'file' ? entry.size : 0
        current = { entry, content: Buffer.alloc(length) }
      },
      data: (bytes, position) => {
        bytes.copy(current!.content, position)
      },
      end: () => found.push(plain(current!.entry, current!.content)),
    },
    DEFAULT_LIMITS,
  )
  reader.push(tar)
  reader.finish()
  return found
}

export async function readTarStream(stream: Readable): Promise<ReadTarEntry[]> {
  return readTar(await collect(stream))
}

function plain(entry: TarEntry, content: Buffer): ReadTarEntry {
  const { name, type, linkName, mode, uid, gid, mtime, xattrs } = entry
  const isFile = type === 'file'
  return {
    name: name.toString('latin1'),
    type,
    mode: mode.toString(8),
    owner: `${uid}:${gid}`,
    mtime,
    ...(linkName.length > 0 ? { link: linkName.toString('latin1') } : {}),
    ...(isFile ? { size: entry.size, content: summary(content) } : {}),
    ...(type.endsWith('device')
      ? { device: `${entry.devMajor}:${entry.devMinor}` }
      : {}),
    ...(xattrs.size > 0 ? { xattrs: texts(xattrs) } : {}),
  }
}

function summary(content: Buffer): string {
  if (content.length <= 100) return content.toString('latin1')
  return createHash('sha256').update(content).digest('hex')
}

function texts(xattrs: ReadonlyMap<string, Buffer>): Record<string, string> {
  const pairs = [...xattrs].map(([name, value]) => [
    name,
    value.toString('latin1'),
  ])
  return Object.fromEntries(pairs) as Record<string, string>
}
