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
  | {
      readonly do: 'mkdir'
      readonly path: string
      readonly mode: number
      readonly uid?: number
      readonly gid?: number
    }
  /** A directory with the owner, mode, attributes and times of another. */
  | { readonly do: 'mkdir-like'; readonly path: string; readonly model: string }
  /** An empty file, which says something by being there. */
  | { readonly do: 'mark'; readonly path: string }
  /** A link that is there and leads to the same is left as it is. */
  | { readonly do: 'symlink'; readonly path: string; readonly target: string }
  | { readonly do: 'rename'; readonly from: string; readonly to: string }
  /** An absent file is unlinked without complaint. */
  | { readonly do: 'unlink'; readonly path: string }

/** Does `step`, whose paths count from `directory` if there is one. */
export function runStep(step: Step, directory?: string): void {
  const at = (path: string): string =>
    directory === undefined ? path : join(directory, path)
  switch (step.do) {
    case 'mkdir':
      fs.mkdirSync(at(step.path), { mode: step.mode })
      if (step.uid !== undefined || step.gid !== undefined) {
        fs.lchownSync(at(step.path), step.uid ?? 0, step.gid ?? 0)
      }
      return
    case 'mkdir-like':
      makeLike(at(step.path), at(step.model))
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

function makeLike(path: string, model: string): void {
  fs.mkdirSync(path, { mode: 0o700 })
  copyAttributes(model, path, fs.lstatSync(model, { bigint: true }))
}
