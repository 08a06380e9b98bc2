/**
 * Tars made by hand, so that a test can say anything in them, however wrong. It
 * shares no code with what it tests.
 */
export interface ForgedEntry {
  readonly name: string | Buffer
  /** The typeflag as it stands in the header. */
  readonly type?: string
  readonly content?: string | Buffer
  readonly linkName?: string | Buffer
  readonly mode?: number
  readonly uid?: number | Buffer
  readonly gid?: number | Buffer
  readonly mtime?: number | Buffer
  /** What the header says, whatever the content. */
  readonly size?: number | Buffer
  readonly devMajor?: number
  readonly devMinor?: number
  readonly prefix?: string
  readonly magic?: string
  /** PAX records that come ahead of it, in their order. */
  readonly pax?: Readonly<Record<string, string | Buffer>>
}

const BLOCK = 512

/** The end of a tar. */
export const TAR_END = Buffer.alloc(2 * BLOCK)

/** A whole tar of `entries`. */
export function forgeTar(...entries: readonly ForgedEntry[]): Buffer {
  return Buffer.concat([...entries.map(forgeEntry), TAR_END])
}

/** An entry with all that belongs to it, padded. */
export function forgeEntry(entry: ForgedEntry): Buffer {
  const content = Buffer.from(entry.content ?? '')
  const records = Object.entries(entry.pax ?? {})
  return Buffer.concat([
    records.length === 0
      ? Buffer.alloc(0)
      : forgeEntry({ name: 'pax', type: 'x', content: forgePax(records) }),
    forgeHeader({ size: content.length, ...entry }),
    padded(content),
  ])
}

export function forgePax(
  records: readonly (readonly [string, string | Buffer])[],
): Buffer {
  return Buffer.concat(records.map(([key, value]) => forgeRecord(key, value)))
}

export function forgeHeader(entry: ForgedEntry): Buffer {
  const block = Buffer.alloc(BLOCK)
  const text = (value: string | Buffer, at: number, length: number): void => {
    Buffer.from(value).copy(block, at, 0, length)
  }
  const number = (value: number | Buffer, at: number, length: number): void => {
    if (typeof value !== 'number') text(value, at, length)
    else text(value.toString(8).padStart(length - 1, '0'), at, length)
  }
  const { type = '0' } = entry
  text(entry.name, 0, 100)
  number(entry.mode ?? (type === '5' ? 0o755 : 0o644), 100, 8)
  number(entry.uid ?? 0, 108, 8)
  number(entry.gid ?? 0, 116, 8)
  number(entry.size ?? 0, 124, 12)
  number(entry.mtime ?? 1_500_000_000, 136, 12)
  text(type, 156, 1)
  text(entry.linkName ?? '', 157, 100)
  text(entry.magic ?? 'ustar\x0000', 257, 8)
  number(entry.devMajor ?? 0, 329, 8)
  number(entry.devMinor ?? 0, 337, 8)
  text(entry.prefix ?? '', 345, 155)
  return sealed(block)
}

/** The block with the checksum that fits it. */
export function sealed(block: Buffer): Buffer {
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

/** GNU's binary form of a number. */
export function binaryNumber(value: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let rest = BigInt.asUintN(length * 8, value)
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  bytes.writeUInt8(bytes.readUInt8(0) | 0x80, 0)
  return bytes
}

function forgeRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([
    Buffer.from(` ${key}=`),
    Buffer.from(value),
    Buffer.from('\n'),
  ])
  let length = rest.length + 1
  while (rest.length + String(length).length !== length) length++
  return Buffer.concat([Buffer.from(String(length)), rest])
}

function padded(content: Buffer): Buffer {
  const padding = (BLOCK - (content.length % BLOCK)) % BLOCK
  return Buffer.concat([content, Buffer.alloc(padding)])
}
