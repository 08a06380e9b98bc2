import * as fs from 'node:fs'
import { dirname } from 'node:path'
import { copyData, shareBlocks } from '../linux/file-copy.ts'
import {
  MOUNTINFO,
  mountpointsBelow,
  mountpointsIn,
} from '../linux/mountinfo.ts'
import { deviceNumber, mknod, type SpecialType } from '../linux/mknod.ts'
import { getXattr } from '../linux/xattr.ts'
import { copyAttributes } from './copy-attributes.ts'
import { type Born, DEFAULT_ACL } from './node-maker.ts'
import { type PathString, toFsPath, toPathString } from './path-bytes.ts'

/** Only to be entered by us, until it has the mode of what it copies. */
const PRIVATE = 0o700

/**
 * Copies the tree at `source` to `target`, which must not exist: content with its
 * holes, modes, owners, times to the nanosecond, extended attributes, links of
 * whatever has several names, devices, FIFOs and sockets.
 *
 * Blocks are shared where the filesystem can. What is mounted in the tree is left
 * out, and not even looked at, for its server may not answer: where it is, the copy
 * has an empty directory.
 *
 * Synchronous, for a thread that has nothing else to do.
 */
export function copyTree(source: string, target: string): void {
  const [from, to] = [source, target].map((path) =>
    toPathString(Buffer.from(path)),
  )
  const status = fs.lstatSync(source, { bigint: true })
  const mounts = mountpointsIn(fs.readFileSync(MOUNTINFO, 'utf8'))
  const inside = mountpointsBelow(mounts, source)
    .filter((path) => path !== source)
    .map((path) => toPathString(Buffer.from(path)))
  const copy = new TreeCopy(new Set(inside), !handsDown(dirname(target)))
  copy.copy(from ?? source, to ?? target, status)
}

/** Whether a directory gives what is made in it its group, or an ACL. */
function handsDown(directory: string): boolean {
  const isSetGid = (fs.statSync(directory).mode & 0o2000) !== 0
  return isSetGid || getXattr(directory, DEFAULT_ACL) !== undefined
}

class TreeCopy {
  readonly #mounts: ReadonlySet<PathString>
  /** Where the first name of each file with several names was copied to. */
  readonly #copies = new Map<bigint, PathString>()
  /** What is made is ours, and has the mode that we say. */
  readonly #isPlain: boolean
  #canShare = true

  constructor(mounts: ReadonlySet<PathString>, isPlain: boolean) {
    this.#mounts = mounts
    this.#isPlain = isPlain
  }

  copy(from: PathString, to: PathString, status: fs.BigIntStats): void {
    if (status.isDirectory()) {
      this.#copyDirectory(from, to)
    } else if (status.nlink > 1n) {
      const first = this.#copies.get(status.ino)
      if (first !== undefined) {
        fs.linkSync(toFsPath(first), toFsPath(to))
        return
      }
      this.#copies.set(status.ino, to)
      this.#copyFile(from, to, status)
    } else {
      this.#copyFile(from, to, status)
    }
    copyAttributes(from, to, status, this.#isPlain ? bornAs(status) : undefined)
  }

  #copyDirectory(from: PathString, to: PathString): void {
    fs.mkdirSync(toFsPath(to), { mode: PRIVATE })
    for (const name of fs.readdirSync(toFsPath(from), 'latin1')) {
      const child = `${from}/${name}`
      if (this.#mounts.has(child)) {
        fs.mkdirSync(toFsPath(`${to}/${name}`), { mode: 0o755 })
        continue
      }
      const status = fs.lstatSync(toFsPath(child), { bigint: true })
      this.copy(child, `${to}/${name}`, status)
    }
  }

  #copyFile(from: PathString, to: PathString, status: fs.BigIntStats): void {
    if (status.isFile()) {
      this.#copyContent(from, to, status)
    } else if (status.isSymbolicLink()) {
      fs.symlinkSync(fs.readlinkSync(toFsPath(from), 'buffer'), toFsPath(to))
    } else {
      const device = deviceNumber(Number(status.rdev))
      mknod(toFsPath(to), specialType(status), PRIVATE, device)
    }
  }

  #copyContent(
    from: PathString,
    to: PathString,
    { mode, size, blocks }: fs.BigIntStats,
  ): void {
    const source = fs.openSync(toFsPath(from), READ)
    try {
      const target = fs.openSync(toFsPath(to), CREATE, bornMode(mode))
      try {
        if (size === 0n) return
        this.#canShare &&= shareBlocks(source, target)
        if (this.#canShare) return
        copyData(source, target, { size: Number(size), blocks: Number(blocks) })
      } finally {
        fs.closeSync(target)
      }
    } finally {
      fs.closeSync(source)
    }
  }
}

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants
const READ = O_RDONLY | O_NOFOLLOW
const CREATE = O_WRONLY | O_CREAT | O_EXCL

const OWN = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
const UMASK = process.umask()

/** What a file of the copy has from the start. Anything else begins private. */
function bornAs(status: fs.BigIntStats): Born {
  const isFile = status.isFile()
  return { ...OWN, mode: isFile ? bornMode(status.mode) : PRIVATE & ~UMASK }
}

function bornMode(mode: bigint): number {
  return Number(mode) & 0o777 & ~UMASK
}

function specialType(status: fs.BigIntStats): SpecialType {
  if (status.isCharacterDevice()) return 'character'
  if (status.isBlockDevice()) return 'block'
  return status.isFIFO() ? 'fifo' : 'socket'
}
