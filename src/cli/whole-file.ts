import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import * as fs from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  AlreadyExistsError,
  InvalidArgumentError,
  isErrno,
  NotFoundError,
} from '../base/errors.ts'
import { syncDirectory } from '../state/atomic-file.ts'

export interface WholeFileOptions {
  /** Whether a file that is there already is replaced. */
  readonly replaces: boolean
}

/**
 * Writes `bytes` to the file at `path`, which is whole or not there at all: it is
 * written aside, and takes its name when all of it is on disk.
 *
 * @throws AlreadyExistsError when there is one already, unless it is replaced.
 * @throws NotFoundError when the directory for it is not there.
 * @throws InvalidArgumentError when there is a directory in its place.
 */
export async function writeWholeFile(
  path: string,
  bytes: Readable,
  { replaces }: WholeFileOptions,
): Promise<void> {
  const unique = randomBytes(6).toString('hex')
  const draft = join(dirname(path), `.${basename(path)}.new-${unique}`)
  try {
    // A backup holds what the volume holds, so it is for its owner alone.
    const file = createWriteStream(draft, {
      flags: 'wx',
      mode: 0o600,
      flush: true,
    })
    await pipeline(bytes, file)
    if (replaces) await fs.rename(draft, path)
    else await place(draft, path)
  } catch (error) {
    throw translated(error, path)
  } finally {
    await fs.rm(draft, { force: true })
  }
  await syncDirectory(dirname(path))
}

function translated(cause: unknown, path: string): unknown {
  if (isErrno(cause, 'ENOENT', 'ENOTDIR')) {
    const directory = dirname(path)
    return new NotFoundError(`Directory "${directory}" does not exist`, {
      cause,
    })
  }
  if (isErrno(cause, 'EISDIR')) {
    return new InvalidArgumentError(`"${path}" is a directory`, { cause })
  }
  return cause
}

/** @throws AlreadyExistsError when there is something at `path`. */
export function existsAlready(path: string, cause?: unknown): Error {
  return new AlreadyExistsError(
    `"${path}" exists: give another name, or --force to replace it`,
    { cause },
  )
}

/** A link, unlike a rename, never replaces what somebody has put there meanwhile. */
async function place(draft: string, path: string): Promise<void> {
  try {
    await fs.link(draft, path)
  } catch (error) {
    if (isErrno(error, 'EEXIST')) throw existsAlready(path, error)
    // Some filesystems have no links.
    if (!isErrno(error, 'EPERM', 'ENOTSUP', 'ENOSYS')) throw error
    await fs.rename(draft, path)
  }
}
