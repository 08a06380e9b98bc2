import * as fs from 'node:fs'
import { isErrno } from '../base/errors.ts'
import type { ConfinedRoot } from '../linux/confined-root.ts'
import {
  joinPath,
  nameOf,
  parentOf,
  type PathString,
  toFsPath,
} from './path-bytes.ts'

/** What there was to remove. */
export type Removed = 'nothing' | 'node' | 'directory'

/**
 * Removes `name` from the directory that `root` has entered, with all below it.
 * If that was a directory, `root` is somewhere else afterwards.
 */
export function removeNode(root: ConfinedRoot, name: PathString): Removed {
  try {
    fs.unlinkSync(toFsPath(root.at(name)))
    return 'node'
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return 'nothing'
    if (!isErrno(error, 'EISDIR', 'EPERM')) throw error
  }
  removeDirectory(root, joinPath(root.here(), name))
  return 'directory'
}

/**
 * Removes what is below `top`, but for what `isKept` and for the directories on
 * the way to it.
 */
export function removeBelow(
  root: ConfinedRoot,
  top: PathString,
  isKept: (path: PathString) => boolean,
): void {
  const remaining = [top]
  for (let path; (path = remaining.pop()) !== undefined;) {
    root.enter(path)
    for (const { name, isDirectory } of children(root)) {
      const child = joinPath(path, name)
      if (!isKept(child)) {
        root.enter(path)
        removeNode(root, name)
      } else if (isDirectory) {
        remaining.push(child)
      }
    }
  }
}

/** Children before parents, without recursion: trees may be deep. */
function removeDirectory(root: ConfinedRoot, top: PathString): void {
  const remaining = [top]
  for (let path; (path = remaining.at(-1)) !== undefined;) {
    root.enter(path)
    const directories = unlinkAll(root)
    for (const name of directories) remaining.push(joinPath(path, name))
    if (directories.length > 0) continue
    root.enter(parentOf(path))
    fs.rmdirSync(toFsPath(root.at(nameOf(path))))
    remaining.pop()
  }
}

/** Unlinks all that is no directory, and answers the names of those that are. */
function unlinkAll(root: ConfinedRoot): PathString[] {
  const directories: PathString[] = []
  for (const { name, isDirectory } of children(root)) {
    if (isDirectory) directories.push(name)
    else fs.unlinkSync(toFsPath(root.at(name)))
  }
  return directories
}

interface Child {
  readonly name: PathString
  readonly isDirectory: boolean
}

/** What is in the directory that `root` has entered. */
export function children(root: ConfinedRoot): Child[] {
  const entries = fs.readdirSync(root.at('.'), {
    withFileTypes: true,
    encoding: 'latin1',
  })
  return entries.map((entry) => ({
    name: entry.name,
    isDirectory: entry.isDirectory(),
  }))
}
