import { InvalidArgumentError } from '../../base/errors.ts'
import { describePath } from '../path-bytes.ts'
import type { ExtendedHeader } from './extended-header.ts'
import type { Header } from './header-decode.ts'
import { Flag } from './header-layout.ts'
import {
  type EntryType,
  NO_BYTES,
  NO_XATTRS,
  type SparseRun,
  type TarEntry,
} from './tar-entry.ts'

const SLASH = 0x2f
/** The kernel's ids have 32 bits, and the highest stands for none. */
const MAX_ID = 0xfffffffe

const TYPES: Readonly<Record<string, EntryType>> = {
  [Flag.file]: 'file',
  [Flag.oldFile]: 'file',
  [Flag.hardlink]: 'hardlink',
  [Flag.symlink]: 'symlink',
  [Flag.characterDevice]: 'character-device',
  [Flag.blockDevice]: 'block-device',
  [Flag.directory]: 'directory',
  [Flag.fifo]: 'fifo',
}

/** An entry, and how the archive holds its data. */
export interface ReadEntry {
  readonly entry: TarEntry
  /** Bytes in the archive, without padding. */
  readonly stored: number
  readonly sparse: readonly SparseRun[] | undefined
  /** The sparse map comes first in the data. */
  readonly isMapInData: boolean
}

/**
 * An entry from its header and from what came ahead of it.
 *
 * @throws InvalidArgumentError for a type that nobody knows how to make.
 */
export function mergeEntry(
  header: Header,
  extended: ExtendedHeader,
): ReadEntry {
  const { sparse } = extended
  const name = sparse?.name ?? extended.name ?? header.name
  const type = typeOf(header, name)
  const isLink = type === 'hardlink' || type === 'symlink'
  const size = extended.size ?? header.size
  const stored = type === 'file' ? size : 0
  return {
    entry: {
      name,
      type,
      linkName: isLink ? (extended.linkName ?? header.linkName) : NO_BYTES,
      mode: header.mode,
      uid: checkedId(extended.uid ?? header.uid, name),
      gid: checkedId(extended.gid ?? header.gid, name),
      size: sizeOf(type, sparse?.size ?? size, size),
      mtime: extended.mtime ?? header.mtime,
      devMajor: type.endsWith('device') ? header.devMajor : 0,
      devMinor: type.endsWith('device') ? header.devMinor : 0,
      xattrs: extended.xattrs ?? NO_XATTRS,
    },
    stored,
    sparse: type === 'file' && sparse ? (sparse.runs ?? []) : undefined,
    isMapInData: type === 'file' && sparse?.isInData === true,
  }
}

function sizeOf(type: EntryType, fileSize: number, claimed: number): number {
  if (type === 'file') return fileSize
  return type === 'hardlink' ? claimed : 0
}

function typeOf({ flag }: Header, name: Buffer): EntryType {
  const type = TYPES[flag]
  if (type === undefined) {
    throw new InvalidArgumentError(
      `Tar entry ${describePath(name)} has the unhandled tar header type ${flag.charCodeAt(0)}`,
    )
  }
  // Before there was a typeflag, this is how directories were told.
  const isOldDirectory = flag === Flag.oldFile && name.at(-1) === SLASH
  return isOldDirectory ? 'directory' : type
}

function checkedId(id: number, name: Buffer): number {
  if (id <= MAX_ID) return id
  throw new InvalidArgumentError(
    `Tar entry ${describePath(name)} has the owner ${id}, which no system has`,
  )
}
