import * as fs from 'node:fs'
import { join } from 'node:path'
import { copyAttributes } from '../archive/copy-attributes.ts'
import { isErrno } from '../base/errors.ts'

/**
 * One small thing to do on disk. A driver describes what a change of its layers
 * takes as a list of steps, and `Home.run` does them in one go: handing each of
 * them to another thread alone would take longer than the step.
 */
export type Step =
  | MakeDirectory
  /** The directories that something begins as, the outermost first. */
  | Blank
  /** A new directory gets the owner, mode, attributes and times of another. */
  | { readonly do: 'liken'; readonly path: string; readonly model: string }
  /** An empty file, which says something by being there. */
  | { readonly do: 'mark'; readonly path: string }
  /** A link that is there and leads to the same is left as it is. */
  | { readonly do: 'symlink'; readonly path: string; readonly target: string }
  | { readonly do: 'rename'; readonly from: string; readonly to: string }
  /** An absent file is unlinked without complaint. */
  | { readonly do: 'unlink'; readonly path: string }

/** A directory, of whoever makes it where no owner is given. */
export interface MakeDirectory {
  readonly do: 'mkdir'
  readonly path: string
  readonly mode: number
  readonly uid?: number
  readonly gid?: number
}

/** What can be made before it is known what for, see `Home.run`. */
export interface Blank {
  readonly do: 'blank'
  /** Where all of it is. */
  readonly path: string
  readonly directories: readonly MakeDirectory[]
}

/** Does `step`, whose paths count from `directory` if there is one. */
export function runStep(step: Step, directory?: string): void {
  const at = (path: string): string =>
    directory === undefined ? path : join(directory, path)
  switch (step.do) {
    case 'mkdir':
      makeDirectory(at(step.path), step)
      return
    case 'blank':
      for (const one of step.directories) makeDirectory(at(one.path), one)
      return
    case 'liken':
      liken(at(step.path), at(step.model))
      return
    case 'mark':
      fs.closeSync(fs.openSync(at(step.path), 'a', 0o600))
      return
    case 'symlink':
      link(at(step.path), step.target)
      return
    case 'rename':
      fs.renameSync(at(step.from), at(step.to))
      return
    case 'unlink':
      unlinkIfThere(at(step.path))
      return
  }
}

function unlinkIfThere(path: string): void {
  try {
    fs.unlinkSync(path)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

function link(path: string, target: string): void {
  try {
    fs.symlinkSync(target, path)
  } catch (error) {
    if (!isErrno(error, 'EEXIST') || fs.readlinkSync(path) !== target) {
      throw error
    }
  }
}

/** Who owns what this process makes, where no directory hands its group down. */
const [UID, GID] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0]

function makeDirectory(
  path: string,
  { mode, uid = UID, gid = GID }: MakeDirectory,
): void {
  fs.mkdirSync(path, { mode })
  if (uid !== UID || gid !== GID) fs.lchownSync(path, uid, gid)
}

function liken(path: string, model: string): void {
  const { uid, gid, mode } = fs.lstatSync(path)
  const born = { uid, gid, mode: mode & 0o7777 }
  copyAttributes(model, path, fs.lstatSync(model, { bigint: true }), born)
}
