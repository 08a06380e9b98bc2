import { constants } from 'node:fs'
import { constants as system } from 'node:os'
import {
  type FileStatus,
  knownStatusAt,
  statusAt,
  statusOf,
} from './file-status.ts'
import { cPath, declare, type PathBytes, systemError } from './libc.ts'

const { EACCES, ELOOP, ENOENT, ENOTDIR, ENXIO, EPERM } = system.errno
const { O_DIRECTORY, O_NOATIME, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
const O_CLOEXEC = 0o2000000
const AT_FDCWD = -100
const READ_FILE = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
const READ_DIRECTORY = O_RDONLY | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC

/** musl has no `getdents64` of that name, and Node no number for it. */
const GETDENTS64 = process.arch === 'arm64' ? 61 : 217

const openat = declare('openat', ['int', 'const char *', 'int', 'unsigned int'])
const readlinkat = declare(
  'readlinkat',
  ['int', 'const char *', 'void *', 'size_t'],
  'long',
)
const getdents = declare('syscall', ['long', 'int', 'void *', 'size_t'], 'long')
const close = declare('close', ['int'])

/**
 * Bytes as text, one character each (Latin-1): so V8 sorts, joins and compares
 * them at its best, and in the order of the bytes.
 */
export type ByteString = string

/** The most directories that one thread keeps open; others open again when used. */
const MOST_OPEN = 256

const opened = new Set<Directory>()
let clock = 0

/**
 * An open directory, whose entries are reached from it and never by a path: what
 * others rename or link meanwhile cannot lead anywhere else. No name is followed.
 *
 * Everything is synchronous, and a directory belongs to the thread that opened it.
 */
export class Directory {
  readonly #parent: Directory | undefined
  readonly #name: ByteString
  #descriptor: number
  #identity: FileStatus | undefined
  #used: number

  private constructor(
    parent: Directory | undefined,
    name: ByteString,
    descriptor: number,
  ) {
    this.#parent = parent
    this.#name = name
    this.#descriptor = descriptor
    this.#used = clock += 1
    if (parent !== undefined) makeRoomFor(this)
  }

  static open(path: PathBytes): Directory {
    const name = cPath(path).toString('latin1').slice(0, -1)
    const flags = READ_DIRECTORY & ~O_NOFOLLOW
    const descriptor = openat.attempt(AT_FDCWD, cName(name), flags, 0)
    if (descriptor < 0) throw systemError(-descriptor, 'open', [readable(name)])
    return new Directory(undefined, name, descriptor)
  }

  /** A subdirectory; `undefined` if `name` is absent or anything else. */
  child(name: ByteString): Directory | undefined {
    const descriptor = openQuietly(this.descriptor, name, READ_DIRECTORY)
    if (descriptor >= 0) return new Directory(this, name, descriptor)
    return this.#absent(descriptor, 'open', name)
  }

  /** Calls `visit` with each name but `.` and `..`, and the bits of its type. */
  eachEntry(visit: (name: ByteString, type: number) => void): void {
    for (;;) {
      const size = getdents.attempt(
        GETDENTS64,
        this.descriptor,
        listing,
        listing.length,
      )
      // A directory that was removed has no entries, and says so in its own way.
      if (size === 0 || size === -ENOENT) return
      if (size < 0) throw this.#failure(size, 'getdents64', '.')
      visitEntries(size, (name, type) => {
        visit(name, type === 0 ? (this.status(name)?.mode ?? 0) : type)
      })
    }
  }

  /** `undefined` if there is no `name`; `.` is the directory itself. */
  status(name: ByteString): FileStatus | undefined {
    const status = statusAt(this.descriptor, cName(name))
    if (typeof status !== 'number') return status
    return this.#absent(status, 'stat', name)
  }

  /** The status of `name`, without a word to the server of what is mounted there. */
  knownStatus(name: ByteString): FileStatus | undefined {
    const status = knownStatusAt(this.descriptor, cName(name))
    if (typeof status !== 'number') return status
    return this.#absent(status, 'stat', name)
  }

  /** A descriptor to read `name` by; `undefined` if it is absent, a link or a socket. */
  openFile(name: ByteString): number | undefined {
    const descriptor = openQuietly(this.descriptor, name, READ_FILE)
    if (descriptor >= 0) return descriptor
    return this.#absent(descriptor, 'open', name)
  }

  /** What the link `name` points to; `undefined` if it is absent. */
  readLink(name: ByteString): ByteString | undefined {
    const size = readlinkat.attempt(
      this.descriptor,
      cName(name),
      listing,
      listing.length,
    )
    if (size >= 0) return listing.toString('latin1', 0, size)
    return this.#absent(size, 'readlink', name)
  }

  /** A path that leads to `name` by way of this directory, for calls that want one. */
  pathTo(name: ByteString): Buffer {
    return Buffer.from(`/proc/self/fd/${this.descriptor}/${name}`, 'latin1')
  }

  /** Where `name`, or by the empty name itself, seems to be, for people to read. */
  describe(name: ByteString): string {
    const names = name === '' ? [this.#name] : [name, this.#name]
    for (let at = this.#parent; at !== undefined; at = at.#parent) {
      names.push(at.#name)
    }
    return readable(names.toReversed().join('/'))
  }

  /** Lets go of it. A directory closed once more, or again, is no error. */
  close(): void {
    opened.delete(this)
    if (this.#descriptor >= 0) close(this.#descriptor)
    this.#descriptor = -1
    this.#identity = undefined
  }

  get descriptor(): number {
    this.#used = clock += 1
    if (this.#descriptor < 0) this.#reopen()
    return this.#descriptor
  }

  /** When it was last used, in no unit. */
  get used(): number {
    return this.#used
  }

  /** Closes it until it is used again. */
  suspend(): void {
    this.#identity ??= statusOf(this.#descriptor)
    close(this.#descriptor)
    this.#descriptor = -1
  }

  /** From the nearest ancestor that is open, down again. */
  #reopen(): void {
    const closed: Directory[] = [this]
    for (let at = this.#parent; at !== undefined; at = at.#parent) {
      if (at.#descriptor >= 0) break
      closed.push(at)
    }
    for (const directory of closed.toReversed()) directory.#openAgain()
  }

  #openAgain(): void {
    const parent = this.#parent
    if (parent === undefined || this.#identity === undefined) {
      throw new Error(`The directory "${this.describe('')}" was closed`)
    }
    const { inode, onMajor, onMinor } = this.#identity
    const descriptor = openQuietly(
      parent.#descriptor,
      this.#name,
      READ_DIRECTORY,
    )
    if (descriptor < 0) throw this.#failure(descriptor, 'open', '')
    const now = statusOf(descriptor)
    if (
      now.inode !== inode ||
      now.onMajor !== onMajor ||
      now.onMinor !== onMinor
    ) {
      close(descriptor)
      throw new Error(
        `The directory "${this.describe('')}" was replaced while it was read`,
      )
    }
    this.#descriptor = descriptor
    this.#used = clock += 1
    makeRoomFor(this)
  }

  #absent(answer: number, call: string, name: ByteString): undefined {
    if (!ABSENT.has(-answer)) throw this.#failure(answer, call, name)
    return undefined
  }

  #failure(answer: number, call: string, name: ByteString): Error {
    return systemError(-answer, call, [this.describe(name)])
  }
}

/** Closes what `openFile` opened. */
export function closeFile(descriptor: number): void {
  close(descriptor)
}

const ABSENT: ReadonlySet<number> = new Set([ENOENT, ENOTDIR, ELOOP, ENXIO])

/** Suspends whichever was used longest ago. Roots are never counted. */
function makeRoomFor(directory: Directory): void {
  opened.add(directory)
  if (opened.size <= MOST_OPEN) return
  let oldest = directory
  for (const other of opened) {
    if (other !== directory && other.used < oldest.used) oldest = other
  }
  if (oldest === directory) return
  opened.delete(oldest)
  oldest.suspend()
}

/** Without touching the access time, which whoever may not does touch. */
function openQuietly(
  directory: number,
  name: ByteString,
  flags: number,
): number {
  const path = cName(name)
  const descriptor = openat.attempt(directory, path, flags | O_NOATIME, 0)
  if (descriptor !== -EPERM && descriptor !== -EACCES) return descriptor
  return openat.attempt(directory, path, flags, 0)
}

const listing = Buffer.alloc(64 * 1024)
const nameBuffer = Buffer.alloc(8192)

/** `name` with a NUL behind, valid until the next call. */
function cName(name: ByteString): Buffer {
  const length = nameBuffer.write(name, 'latin1')
  nameBuffer[length] = 0
  return nameBuffer
}

/**
 * The records that getdents64(2) left in `listing`: inode and offset, eight bytes
 * each; two for the record's length, one for the type; then the name, padded with
 * zeros to a multiple of eight.
 */
function visitEntries(
  size: number,
  visit: (name: ByteString, type: number) => void,
): void {
  const chunk = Buffer.from(listing.subarray(0, size))
  let start = 0
  while (start < size) {
    const end = start + chunk.readUInt16LE(start + 16)
    const type = (chunk[start + 18] ?? 0) << 12
    const nul = chunk.indexOf(0, Math.max(start + 19, end - 8))
    const name = chunk.toString('latin1', start + 19, nul)
    if (name !== '.' && name !== '..') visit(name, type)
    start = end
  }
}

function readable(path: ByteString): string {
  return Buffer.from(path, 'latin1').toString()
}
