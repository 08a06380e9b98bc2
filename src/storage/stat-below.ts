import { constants } from 'node:fs'
import * as fs from 'node:fs/promises'
import { basename } from 'node:path/posix'
import { InvalidArgumentError, isErrno, NotFoundError } from '../base/errors.ts'
import { openInRoot } from '../linux/in-root.ts'
import type { FileStat } from './data-source.ts'

/**
 * The file at `path` below `root`. Symbolic links of its parents are followed as
 * if `root` were all there is; its own is not.
 *
 * @throws InvalidArgumentError when `path` is absolute or climbs.
 * @throws NotFoundError when nothing is there.
 */
export async function statBelow(root: string, path: string): Promise<FileStat> {
  const names = path.split('/').filter((name) => !['', '.'].includes(name))
  if (path.startsWith('/') || path.includes('\0') || names.includes('..')) {
    throw new InvalidArgumentError(
      `Path ${JSON.stringify(path)} must be relative, and stay below the root`,
    )
  }
  const name = names.pop() ?? '.'
  using confined = openInRoot(root)
  try {
    confined.enter(Buffer.from(names.join('/')).toString('latin1'))
    const place = confined.at(name)
    const { size, mode, mtimeNs } = await fs.lstat(place, { bigint: true })
    const isLink = (Number(mode) & constants.S_IFMT) === constants.S_IFLNK
    return {
      name: name === '.' ? basename(root) : name,
      size: Number(size),
      mode: Number(mode),
      modifiedNs: mtimeNs,
      linkTarget: isLink ? await fs.readlink(place) : undefined,
    }
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
    throw new NotFoundError(`"${path}" does not exist`, { cause: error })
  }
}
