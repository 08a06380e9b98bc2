import { constants } from 'node:fs'
import { InvalidArgumentError, isErrno, messageOf } from '../base/errors.ts'
import { type FileStatus, isFile } from '../linux/file-status.ts'
import { getXattr, listXattrs } from '../linux/xattr.ts'
import { CAPABILITY } from './difference.ts'
import { FileContent } from './file-content.ts'
import { type IdMap, type IdMaps, toContainer } from './id-map.ts'
import { describePath, type PathString } from './path-bytes.ts'
import { type EntryType, NO_XATTRS } from './tar/tar-entry.ts'
import type { TarHeader } from './tar/tar-writer.ts'
import { type TreeWalk, vanished, type WalkedChange } from './tree-walk.ts'
import { OVERLAY_PREFIX, WHITEOUT_PREFIX } from './whiteout.ts'

/** What a tar tells of the things in a tree. */
export interface EntryRules {
  /** Owners as a user namespace sees them. */
  readonly idMaps: IdMaps
  /** The tree is in use: what vanishes or changes meanwhile is no failure. */
  readonly isWritable: boolean
  /**
   * All xattrs, times to the nanosecond, and any names. Docker's layers have none
   * of these: there, names that begin with `.wh.` delete.
   */
  readonly isExact: boolean
  /** What a path is called in the tar, the root ''; `undefined` leaves it out. */
  readonly rename?: ((path: PathString) => PathString | undefined) | undefined
  /** Told of what a tar cannot say and therefore lacks. */
  readonly onOmission: (path: PathString, reason: string) => void
}

/** An entry about to be written. Whoever takes it closes its content. */
export interface OutgoingEntry {
  readonly path: PathString
  readonly header: TarHeader
  readonly content?: FileContent | undefined
}

/** Types by the bits that tell them. Tar has none for a socket. */
const TYPES = new Map<number, EntryType>([
  [constants.S_IFREG, 'file'],
  [constants.S_IFDIR, 'directory'],
  [constants.S_IFLNK, 'symlink'],
  [constants.S_IFCHR, 'character-device'],
  [constants.S_IFBLK, 'block-device'],
  [constants.S_IFIFO, 'fifo'],
])

/** A change of what is there, and its name in the tar. */
interface Present {
  readonly change: WalkedChange
  readonly status: FileStatus
  readonly name: PathString
}

/**
 * Makes tar entries of what a walk finds: the first name of a file with several
 * carries its data, the others are hard links to that.
 */
export class TreeEntries {
  readonly #walk: TreeWalk
  readonly #rules: EntryRules
  readonly #firstNames = new Map<string, { name: PathString; left: number }>()

  constructor(walk: TreeWalk, rules: EntryRules) {
    this.#walk = walk
    this.#rules = rules
  }

  next(): OutgoingEntry | undefined {
    for (;;) {
      const change = this.#walk.next()
      if (change === undefined) return undefined
      const entry = this.#entryIfThere(change)
      if (entry !== undefined) return entry
    }
  }

  close(): void {
    this.#walk.close()
  }

  #entryIfThere(change: WalkedChange): OutgoingEntry | undefined {
    try {
      return this.#entry(change)
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return this.#vanished(change)
      throw error
    }
  }

  #entry(change: WalkedChange): OutgoingEntry | undefined {
    const { path, status } = change
    const name = this.#rules.rename ? this.#rules.rename(path) : path
    if (name === undefined) return undefined
    if (!this.#rules.isExact && change.name.startsWith(WHITEOUT_PREFIX)) {
      return this.#omit(path, 'its name would delete another in a layer')
    }
    if (status === undefined) return { path, header: whiteout(name) }
    const type = TYPES.get(status.mode & constants.S_IFMT)
    if (type === undefined) return this.#omit(path, 'it is a socket')

    if (name === '' && type !== 'directory') {
      throw new InvalidArgumentError(
        `${describePath(path)} is no directory, and has no name left in the archive: give it one to rebase on`,
      )
    }
    const present = { change, status, name }
    const target = status.links > 1 && type !== 'directory'
    const firstName = target ? this.#firstNameOf(status, name) : name
    if (firstName !== name) return this.#other(present, 'hardlink', firstName)
    if (type === 'file') return this.#file(present)
    if (type === 'symlink') return this.#symlink(present)
    return this.#other(present, type)
  }

  #file({ change, status: walked, name }: Present): OutgoingEntry | undefined {
    const { isExact, isWritable } = this.#rules
    const descriptor = change.directory.openFile(change.name)
    if (descriptor === undefined) return this.#vanished(change)
    const content = new FileContent(descriptor, {
      sparse: isExact,
      // Nobody writes to a sealed tree; that it is the same is seen at the end.
      status: isWritable ? undefined : walked,
    })
    try {
      const { status } = content
      const xattrs = this.#xattrs(change.path, descriptor)
      const header = this.#header({ change, status, name }, 'file', xattrs)
      if (isFile(status)) return { path: change.path, content, header }
    } catch (error) {
      content.close()
      throw error
    }
    content.close()
    return this.#vanished(change)
  }

  #symlink(present: Present): OutgoingEntry | undefined {
    const { change } = present
    const target = change.directory.readLink(change.name)
    if (target === undefined) return this.#vanished(change)
    return this.#other(present, 'symlink', target)
  }

  #other(
    present: Present,
    type: EntryType,
    linkName: PathString = '',
  ): OutgoingEntry {
    const { directory, name, path } = present.change
    // Nothing but a file has a capability, and a further name of one tells it again.
    const isPlain = !this.#rules.isExact && type !== 'hardlink'
    const xattrs = isPlain
      ? NO_XATTRS
      : this.#xattrs(path, directory.pathTo(name))
    const header = this.#header(present, type, xattrs)
    return { path, header: { ...header, linkName } }
  }

  #header(
    { change, status, name }: Present,
    type: EntryType,
    xattrs: TarHeader['xattrs'],
  ): TarHeader {
    const { uids, gids } = this.#rules.idMaps
    const isDevice = type === 'character-device' || type === 'block-device'
    return {
      name: type === 'directory' ? `${name || '.'}/` : name,
      type,
      linkName: '',
      mode: status.mode & 0o7777,
      uid: this.#owner(change.path, status.uid, uids),
      gid: this.#owner(change.path, status.gid, gids),
      size: type === 'file' ? status.size : 0,
      seconds: status.modifiedSeconds,
      nanoseconds: this.#rules.isExact ? status.modifiedNanoseconds : 0,
      devMajor: isDevice ? status.deviceMajor : 0,
      devMinor: isDevice ? status.deviceMinor : 0,
      xattrs,
    }
  }

  #owner(path: PathString, id: number, map: IdMap): number {
    try {
      return toContainer(id, map)
    } catch (error) {
      throw new InvalidArgumentError(
        `The owner of ${describePath(path)} cannot be told: ${messageOf(error)}`,
        { cause: error },
      )
    }
  }

  #xattrs(path: PathString, file: Buffer | number): TarHeader['xattrs'] {
    if (!this.#rules.isExact) {
      const capability = getXattr(file, CAPABILITY)
      if (capability === undefined) return NO_XATTRS
      return new Map([[CAPABILITY, capability]])
    }
    const xattrs = new Map<string, Buffer>()
    for (const bytes of listXattrs(file)) {
      const name = bytes.toString('latin1')
      const value = getXattr(file, bytes)
      if (name.includes('=')) {
        this.#omit(path, `of its xattr ${describePath(name)}: it has a "="`)
      } else if (value !== undefined && !name.startsWith(OVERLAY_PREFIX)) {
        xattrs.set(name, value)
      }
    }
    return xattrs
  }

  /** The name that carries the data: this one, if it is the first. */
  #firstNameOf(status: FileStatus, name: PathString): PathString {
    const key = `${status.onMajor}:${status.onMinor}:${status.inode}`
    const first = this.#firstNames.get(key) ?? { name, left: status.links }
    first.left -= 1
    if (first.left === 0) this.#firstNames.delete(key)
    else this.#firstNames.set(key, first)
    return first.name
  }

  #vanished({ directory, name }: WalkedChange): undefined {
    if (this.#rules.isWritable) return undefined
    throw vanished(directory, name)
  }

  #omit(path: PathString, reason: string): undefined {
    this.#rules.onOmission(path, reason)
    return undefined
  }
}

/** Without the time of writing, so that the same changes are the same bytes. */
function whiteout(name: PathString): TarHeader {
  const base = name.lastIndexOf('/') + 1
  return {
    name: name.slice(0, base) + WHITEOUT_PREFIX + name.slice(base),
    type: 'file',
    linkName: '',
    mode: 0,
    uid: 0,
    gid: 0,
    size: 0,
    seconds: 0,
    nanoseconds: 0,
    devMajor: 0,
    devMinor: 0,
    xattrs: NO_XATTRS,
  }
}
