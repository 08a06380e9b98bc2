import * as fs from 'node:fs'
import { setTimes } from '../linux/file-times.ts'
import { getXattr, listXattrs, setXattr } from '../linux/xattr.ts'
import type { Born } from './node-maker.ts'
import { type PathString, toFsPath } from './path-bytes.ts'

/** What overlay notes of a directory's place in one mount is true in no other. */
const OVERLAY_NOTE = /^(?:trusted|user)\.overlay\./

/**
 * Gives the new `to` the owner, attributes, mode and times of `from`, which has
 * `status`; what it was `born` with is not given again. Synchronous.
 *
 * In this order: chown(2) takes setuid bits and capabilities away, and everything
 * but utimensat(2) leaves a new time behind.
 */
export function copyAttributes(
  from: PathString,
  to: PathString,
  status: fs.BigIntStats,
  born?: Born,
): void {
  const [source, target] = [toFsPath(from), toFsPath(to)]
  const [uid, gid] = [Number(status.uid), Number(status.gid)]
  if (uid !== born?.uid || gid !== born.gid) fs.lchownSync(target, uid, gid)
  for (const name of listXattrs(source)) {
    if (OVERLAY_NOTE.test(name.toString('latin1'))) continue
    const value = getXattr(source, name)
    if (value !== undefined) setXattr(target, name, value)
  }
  const mode = Number(status.mode & 0o7777n)
  if (!status.isSymbolicLink() && mode !== born?.mode) {
    fs.chmodSync(target, mode)
  }
  setTimes(target, status.atimeNs, status.mtimeNs)
}
