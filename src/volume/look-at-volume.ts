import * as fs from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '../base/errors.ts'
import { DATA, RECORD } from './folder-layout.ts'

/** What was found of one volume. */
export interface VolumeLook {
  /** Whether it has a directory at all. */
  readonly isThere: boolean
  /** Its record; absent where there is none. */
  readonly text?: string
  /** Whether its files are where they belong. */
  readonly hasData: boolean
}

/** Looks into the directory of a volume. Synchronous, for a thread. */
export function lookAtVolume(directory: string): VolumeLook {
  const hasData = isThere(join(directory, DATA))
  try {
    const text = fs.readFileSync(join(directory, RECORD), 'utf8')
    return { isThere: true, text, hasData }
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
    return { isThere: isThere(directory), hasData }
  }
}

function isThere(path: string): boolean {
  try {
    fs.lstatSync(path)
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false
    throw error
  }
}
