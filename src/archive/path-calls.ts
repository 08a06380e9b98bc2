import * as fs from 'node:fs'
import { isErrno } from '../base/errors.ts'
import { type PathString, toFsPath } from './path-bytes.ts'

/** Whether it made the directory; it may be that something is there already. */
export function tryMkdir(path: PathString, mode: number): boolean {
  try {
    fs.mkdirSync(toFsPath(path), mode)
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  }
}

/** Removes what is there, unless it is a directory. */
export function unlinkOther(path: PathString): void {
  try {
    fs.unlinkSync(toFsPath(path))
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EISDIR', 'EPERM')) throw error
  }
}

/** Whether a directory is there, and no link to one. */
export function isDirectory(path: PathString): boolean {
  const stats = fs.lstatSync(toFsPath(path), { throwIfNoEntry: false })
  return stats?.isDirectory() ?? false
}

/** Where the link that is there leads, if it is one. */
export function linkTarget(path: PathString): PathString | undefined {
  try {
    return fs.readlinkSync(toFsPath(path), 'latin1')
  } catch (error) {
    if (isErrno(error, 'EINVAL')) return undefined
    throw error
  }
}
