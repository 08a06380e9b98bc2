import * as fs from 'node:fs/promises'
import { isErrno, NotSupportedError } from '../base/errors.ts'
import { writeFileAtomic } from './atomic-file.ts'

/** What a directory's content follows: whose layout, and which edition of it. */
export interface DiskFormat {
  readonly kind: string
  readonly edition: number
}

/**
 * The format that the file at `path` states; `format` from now on where there is
 * no such file, because the directory is new.
 *
 * @throws NotSupportedError for another kind, and for an edition newer than
 *   `format`: guessing at either would cost somebody's data.
 */
export async function settleFormat(
  path: string,
  format: DiskFormat,
): Promise<DiskFormat> {
  const found = await readFormat(path)
  if (found === undefined) {
    await writeFileAtomic(path, `${format.kind} ${format.edition}\n`)
    return format
  }
  if (found.kind !== format.kind) {
    throw new NotSupportedError(
      `"${path}" says that this is "${found.kind}", and "${format.kind}" is needed`,
    )
  }
  if (found.edition > format.edition) {
    throw new NotSupportedError(
      `"${path}" says "${found.kind}" in edition ${found.edition}, and this version of Stowage knows it up to ${format.edition}: use a newer one`,
    )
  }
  return found
}

/** What the file at `path` states, or `undefined` where there is none. */
export async function readFormat(
  path: string,
): Promise<DiskFormat | undefined> {
  let text
  try {
    text = await fs.readFile(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
  const [, kind, edition] = /^(\S+) (\d{1,9})\n$/.exec(text) ?? []
  if (kind === undefined || edition === undefined) {
    throw new NotSupportedError(
      `"${path}" should name a format and its edition, and says ${JSON.stringify(text.slice(0, 60))}`,
    )
  }
  return { kind, edition: Number(edition) }
}
