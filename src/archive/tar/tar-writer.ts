import type { PathString } from '../path-bytes.ts'
import {
  BLOCK_SIZE,
  CHECKSUM,
  DEV_MAJOR,
  DEV_MINOR,
  type Field,
  Flag,
  GID,
  LINK_NAME,
  MAGIC,
  MODE,
  MTIME,
  NAME,
  paddingOf,
  PAX_XATTR_PREFIX,
  PREFIX,
  SIZE,
  TYPEFLAG,
  UID,
  USTAR_MAGIC,
} from './header-layout.ts'
import type { EntryType, SparseRun, TarEntry } from './tar-entry.ts'

/** A `TarEntry` about to be written, with names and times as the walk has them. */
export interface TarHeader extends Omit<
  TarEntry,
  'name' | 'linkName' | 'mtime' | 'sparse'
> {
  /** Without a slash before; behind a directory's there must be one. */
  readonly name: PathString
  readonly linkName: PathString
  /** Since 1970, rounded down. */
  readonly seconds: number
  /** What is left of them. Anything but 0 costs a kilobyte. */
  readonly nanoseconds: number
  /** Records besides those that the fields need, by their key. */
  readonly records?: Readonly<Record<string, string>>
}

const FLAGS: Readonly<Record<EntryType, string>> = {
  file: Flag.file,
  hardlink: Flag.hardlink,
  symlink: Flag.symlink,
  'character-device': Flag.characterDevice,
  'block-device': Flag.blockDevice,
  directory: Flag.directory,
  fifo: Flag.fifo,
}

/** What ends a tar. Docker writes two blocks and no more. */
export const END_OF_TAR: Buffer = Buffer.alloc(2 * BLOCK_SIZE)

/**
 * The header of an entry: one block of POSIX's ustar where all fits into it, as
 * Docker's own tars have, else with a PAX header before it for what does not.
 *
 * The bytes are valid until the next call.
 */
export function encodeHeader(header: TarHeader): Buffer {
  const records = recordsOf(header)
  if (records.length > 0) return encodeWithPax(header, records)
  writeBlock(block, header, FLAGS[header.type])
  return block
}

/**
 * The header of a file of which only `runs` follow, in the form 1.0 of GNU tar: the
 * list of them comes as text before the data. The entry's size is the file's.
 */
export function encodeSparseHeader(
  header: TarHeader,
  runs: readonly SparseRun[],
): Buffer {
  const { name, size } = header
  const numbers = [runs.length + 1, ...runs.flatMap(runNumbers), size, 0]
  const map = Buffer.from(numbers.map((number) => `${number}\n`).join(''))
  const padding = Buffer.alloc(paddingOf(map.length))
  const data = runs.reduce((sum, { length }) => sum + length, 0)
  const records = {
    'GNU.sparse.major': '1',
    'GNU.sparse.minor': '0',
    'GNU.sparse.name': name,
    'GNU.sparse.realsize': `${size}`,
  }
  const stored = map.length + padding.length + data
  const sparse = { ...header, name: besides(name, 'GNUSparseFile.0') }
  const front = encodeHeader({ ...sparse, size: stored, records })
  return Buffer.concat([front, map, padding])
}

function runNumbers({ offset, length }: SparseRun): [number, number] {
  return [offset, length]
}

const block = Buffer.alloc(BLOCK_SIZE)

/** A PAX record: its key and, as bytes, its value. */
type PaxRecord = readonly [key: string, value: PathString]

/** Records for what the fields of a block cannot hold. */
function recordsOf(header: TarHeader): PaxRecord[] {
  const { name, linkName, uid, gid, size, seconds, nanoseconds } = header
  const records: PaxRecord[] = []
  if (!fitsField(name, NAME) && splitAt(name) === -1) {
    records.push(['path', name])
  }
  if (!fitsField(linkName, LINK_NAME)) records.push(['linkpath', linkName])
  if (!fitsNumber(uid, UID)) records.push(['uid', `${uid}`])
  if (!fitsNumber(gid, GID)) records.push(['gid', `${gid}`])
  if (!fitsNumber(size, SIZE)) records.push(['size', `${size}`])
  if (nanoseconds > 0 || !fitsNumber(seconds, MTIME)) {
    records.push(['mtime', decimal(seconds, nanoseconds)])
  }
  for (const [key, value] of header.xattrs) {
    records.push([PAX_XATTR_PREFIX + key, value.toString('latin1')])
  }
  for (const record of Object.entries(header.records ?? {})) {
    records.push(record)
  }
  return records
}

function encodeWithPax(header: TarHeader, records: PaxRecord[]): Buffer {
  const { name } = header
  // Readers of a PAX header do not look at the prefix.
  const isSplit = !fitsField(name, NAME) && splitAt(name) !== -1
  if (isSplit) records.push(['path', name])
  const data = records.toSorted(byKey).map(recordText).join('')
  const whole = Buffer.alloc(
    2 * BLOCK_SIZE + data.length + paddingOf(data.length),
  )
  writeBlock(whole.subarray(0, BLOCK_SIZE), paxHeader(name, data), Flag.pax)
  whole.write(data, BLOCK_SIZE, 'latin1')
  writeBlock(
    whole.subarray(-BLOCK_SIZE),
    { ...header, name: standIn(name), linkName: standIn(header.linkName) },
    FLAGS[header.type],
  )
  return whole
}

function byKey([a]: PaxRecord, [b]: PaxRecord): number {
  return a < b ? -1 : 1
}

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits too. */
function recordText([key, value]: PaxRecord): PathString {
  const rest = key.length + value.length + 3
  let length = rest + `${rest}`.length
  // The digits may have pushed the length over a power of ten.
  length = rest + `${length}`.length
  return `${length} ${key}=${value}\n`
}

function paxHeader(name: PathString, data: PathString): BlockFields {
  const path = standIn(besides(name, 'PaxHeaders.0'))
  return { ...NOBODY, name: path, size: data.length }
}

/** The same name one folder deeper, as what belongs to an entry is called. */
function besides(name: PathString, folder: string): PathString {
  const slash = name.replace(/\/$/, '').lastIndexOf('/')
  return `${name.slice(0, slash + 1)}${folder}/${name.slice(slash + 1)}`
}

/** As far as a block can tell a name; readers take the one in the record. */
function standIn(name: PathString): PathString {
  return name.replaceAll(/[^\0-\x7f]/g, '').slice(0, NAME[1])
}

/** Seconds that were rounded down, and what is left, as one signed number. */
function decimal(seconds: number, nanoseconds: number): string {
  if (nanoseconds === 0) return `${seconds}`
  const isNegative = seconds < 0
  const whole = isNegative ? -seconds - 1 : seconds
  const rest = isNegative ? 1_000_000_000 - nanoseconds : nanoseconds
  const fraction = `${rest}`.padStart(9, '0').replace(/0+$/, '')
  return `${isNegative ? '-' : ''}${whole}.${fraction}`
}

/** What a header block tells. */
type BlockFields = Pick<
  TarHeader,
  | 'name'
  | 'linkName'
  | 'mode'
  | 'uid'
  | 'gid'
  | 'size'
  | 'seconds'
  | 'devMajor'
  | 'devMinor'
>

const NOBODY: BlockFields = {
  name: '',
  linkName: '',
  mode: 0,
  uid: 0,
  gid: 0,
  size: 0,
  seconds: 0,
  devMajor: 0,
  devMinor: 0,
}

/** Owners have numbers only: names would be the host's, and mean nothing elsewhere. */
function writeBlock(target: Buffer, fields: BlockFields, flag: string): void {
  const { name } = fields
  const slash = fitsField(name, NAME) ? -1 : splitAt(name)
  target.fill(0)
  writeText(target, NAME, slash === -1 ? name : name.slice(slash + 1))
  writeNumber(target, MODE, fields.mode)
  writeNumber(target, UID, fields.uid)
  writeNumber(target, GID, fields.gid)
  writeNumber(target, SIZE, fields.size)
  writeNumber(target, MTIME, fields.seconds)
  target[TYPEFLAG] = flag.charCodeAt(0)
  writeText(target, LINK_NAME, fields.linkName)
  writeText(target, MAGIC, USTAR_MAGIC)
  writeNumber(target, DEV_MAJOR, fields.devMajor)
  writeNumber(target, DEV_MINOR, fields.devMinor)
  if (slash > 0) writeText(target, PREFIX, name.slice(0, slash))
  writeChecksum(target)
}

/** The sum of all bytes, with blanks where it will stand itself. */
function writeChecksum(target: Buffer): void {
  const [start, length] = CHECKSUM
  let sum = length * 0x20
  for (let at = 0; at < BLOCK_SIZE; at += 1) sum += target[at] ?? 0
  writeNumber(target, [start, length - 1], sum)
  target[start + length - 1] = 0x20
}

/** Octal digits with a NUL behind; zero for what does not fit. */
function writeNumber(target: Buffer, field: Field, value: number): void {
  const [start, length] = field
  let rest = fitsNumber(value, field) ? value : 0
  let at = start + length - 2
  // Beyond 32 bits in halves: bitwise operators know no more, and divisions are slow.
  if (rest > 0x3fffffff) {
    for (let low = rest % 0x40000000, digit = 0; digit < 10; digit += 1) {
      target[at] = 0x30 + (low & 7)
      low >>>= 3
      at -= 1
    }
    rest = Math.floor(rest / 0x40000000)
  }
  for (; at >= start; at -= 1) {
    target[at] = 0x30 + (rest & 7)
    rest >>>= 3
  }
}

function writeText(target: Buffer, [start]: Field, text: PathString): void {
  for (let index = 0; index < text.length; index += 1) {
    target[start + index] = text.charCodeAt(index)
  }
}

function fitsNumber(value: number, [, length]: Field): boolean {
  const beyond = length === SIZE[1] ? BEYOND_ELEVEN_DIGITS : BEYOND_SEVEN_DIGITS
  return value >= 0 && value < beyond
}

/** What fields of twelve and of eight characters cannot hold, with a NUL behind. */
const BEYOND_ELEVEN_DIGITS = 8 ** 11
const BEYOND_SEVEN_DIGITS = 8 ** 7

function fitsField(text: PathString, [, length]: Field): boolean {
  return text.length <= length && isAscii(text)
}

/**
 * Where a long name parts into prefix and name, at a slash that belongs to
 * neither; -1 if it cannot.
 */
function splitAt(name: PathString): number {
  if (!isAscii(name)) return -1
  const [, longest] = PREFIX
  // Not at the slash that ends a directory's name: nothing would be left of it.
  const slash = name.lastIndexOf('/', Math.min(longest, name.length - 2))
  const rest = name.length - slash - 1
  return slash > 0 && rest <= NAME[1] ? slash : -1
}

function isAscii(text: PathString): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > 0x7f) return false
  }
  return true
}
