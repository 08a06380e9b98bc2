import * as fs from 'node:fs'
import { copyData, shareBlocks } from '../linux/file-copy.ts'
import { deviceNumber, mknod, type SpecialType } from '../linux/mknod.ts'
import { copyAttributes } from './copy-attributes.ts'
import { type PathString, toFsPath, toPathString } from './path-bytes.ts'

/** Only to be entered by us, until it has the mode of what it copies. */
const PRIVATE = 0o700

/**
 * Copies the tree at `source` to `target`, which must not exist: content with its
 * holes, modes, owners, times to the nanosecond, extended attributes, links of
 * whatever has several names, devices, FIFOs and sockets.
 *
 * Blocks are shared where the filesystem can. Other filesystems that are mounted
 * in the tree are left out; the directories they are mounted on are not.
 *
 * Synchronous, for a thread that has nothing else to do.
 */
export function copyTree(source: string, target: string): void {
  const [from, to] = [source, target].map((path) =>
    toPathString(Buffer.from(path)),
  )
  const status = fs.lstatSync(source, { bigint: true })
  new TreeCopy(status.dev).copy(from ?? source, to ?? target, status)
}

class TreeCopy {
  readonly #device: bigint
  /** Where the first name of each file with several names was copied to. */
  readonly #copies = new Map<bigint, PathString>()
  #canShare = true

  constructor(device: bigint) {
    this.#device = device
  }

  copy(from: PathString, to: PathString, status: fs.BigIntStats): void {
    if (status.isDirectory()) {
      this.#copyDirectory(from, to, status)
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
    copyAttributes(from, to, status)
  }

  #copyDirectory(
    from: PathString,
    to: PathString,
    { dev }: fs.BigIntStats,
  ): void {
    fs.mkdirSync(toFsPath(to), { mode: PRIVATE })
    if (dev !== this.#device) return
    for (const name of fs.readdirSync(toFsPath(from), 'latin1')) {
      const child = `${from}/${name}`
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
    { size, blocks }: fs.BigIntStats,
  ): void {
    const source = fs.openSync(toFsPath(from), READ)
    try {
      const target = fs.openSync(toFsPath(to), CREATE, PRIVATE)
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

function specialType(status: fs.BigIntStats): SpecialType {
  if (status.isCharacterDevice()) return 'character'
  if (status.isBlockDevice()) return 'block'
  return status.isFIFO() ? 'fifo' : 'socket'
}
