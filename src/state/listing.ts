import * as fs from 'node:fs/promises'
import { isErrno } from '../base/errors.ts'

/** Whether there is something at `path`, whatever it is. */
export async function exists(path: string): Promise<boolean> {
  try {
    await fs.lstat(path)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}

/** The names in `directory`, sorted; none where there is no such directory. */
export async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return (await fs.readdir(directory)).toSorted()
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}
