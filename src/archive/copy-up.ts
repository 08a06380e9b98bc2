import * as fs from 'node:fs'
import { constants } from 'node:fs'
import { closeFile } from '../linux/directory.ts'
import { type FileStatus, isFile, isSymlink } from '../linux/file-status.ts'
import { copyData } from '../linux/file-copy.ts'
import { mknod, type SpecialType } from '../linux/mknod.ts'
import { getXattr, listXattrs } from '../linux/xattr.ts'
import type { Found } from './lower-view.ts'
import { type Attributes, dress, NEW_FILE } from './node-maker.ts'
import { type PathString, toFsPath } from './path-bytes.ts'

const NANOSECONDS = 1_000_000_000n
/** What overlay notes of a thing's place in one mount is true in no other. */
const OVERLAY_NOTE = /^(?:trusted|user)\.overlay\./

const SPECIAL = new Map<number, SpecialType>([
  [constants.S_IFCHR, 'character'],
  [constants.S_IFBLK, 'block'],
  [constants.S_IFIFO, 'fifo'],
  [constants.S_IFSOCK, 'socket'],
])

/** Copies what was found in a lower, which is no directory, to the new `path`. */
export function copyUp(found: Found, path: PathString): void {
  const { status, directory, name } = found
  const special = SPECIAL.get(status.mode & constants.S_IFMT)
  if (isFile(status)) {
    copyContent(found, path)
  } else if (special === undefined) {
    const target = Buffer.from(directory.readLink(name) ?? '', 'latin1')
    fs.symlinkSync(target, toFsPath(path))
  } else {
    mknod(toFsPath(path), special, 0o600, {
      major: status.deviceMajor,
      minor: status.deviceMinor,
    })
  }
  const isLink = isSymlink(status)
  dress(path, attributesOf(found), { isSymlink: isLink })
}

/** The attributes of what was found; of files and directories also the xattrs. */
export function attributesOf({ directory, name, status }: Found): Attributes {
  const descriptor = canBeOpened(status) ? directory.openFile(name) : undefined
  const xattrs = new Map<string, Buffer>()
  try {
    for (const key of descriptor === undefined ? [] : listXattrs(descriptor)) {
      const value = getXattr(descriptor ?? name, key)
      const text = key.toString('latin1')
      if (value && !OVERLAY_NOTE.test(text)) xattrs.set(text, value)
    }
  } finally {
    if (descriptor !== undefined) closeFile(descriptor)
  }
  return {
    mode: status.mode & 0o7777,
    uid: status.uid,
    gid: status.gid,
    mtime:
      BigInt(status.modifiedSeconds) * NANOSECONDS +
      BigInt(status.modifiedNanoseconds),
    xattrs,
  }
}

function copyContent(
  { directory, name, status }: Found,
  path: PathString,
): void {
  const source = directory.openFile(name)
  if (source === undefined) throw new Error('A lower has changed')
  try {
    const target = fs.openSync(toFsPath(path), NEW_FILE, 0o600)
    try {
      copyData(source, target, status)
    } finally {
      fs.closeSync(target)
    }
  } finally {
    closeFile(source)
  }
}

/** Opening a device or a FIFO would do something. */
function canBeOpened({ mode }: FileStatus): boolean {
  const type = mode & constants.S_IFMT
  return type === constants.S_IFREG || type === constants.S_IFDIR
}
