import * as fs from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isErrno } from '../base/errors.ts'
import { writeFileAtomic } from '../state/atomic-file.ts'
import { RECORD, RECORD_COPY } from './folder-layout.ts'
import {
  DamagedRecordError,
  parseRecord,
  saysSomething,
} from './volume-record.ts'

/**
 * Writes the record of the volume in `directory` anew, from its copy, and sets aside
 * what was there. Only where that is certain: the record is missing or says nothing,
 * and the copy is a whole record of this very volume.
 *
 * @param drafts Where the new one is made, as `writeFileAtomic` has it.
 * @returns Whether it was written.
 */
export async function rebuildRecord(
  directory: string,
  drafts: string,
): Promise<boolean> {
  const text = await textOf(join(directory, RECORD))
  if (text !== undefined && saysSomething(text)) return false
  const copy = await textOf(join(directory, RECORD_COPY))
  if (copy === undefined || !isRecordOf(basename(directory), copy)) return false
  await setRecordAside(directory)
  await writeFileAtomic(join(directory, RECORD), copy, { drafts })
  return true
}

/** Keeps a damaged record for whoever wants to look at it. */
export async function setRecordAside(directory: string): Promise<void> {
  const path = join(directory, RECORD)
  try {
    await fs.rename(path, `${path}.damaged-${Date.now()}`)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await fs.readFile(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

function isRecordOf(name: string, text: string): boolean {
  try {
    parseRecord(text, name)
    return true
  } catch (error) {
    if (error instanceof DamagedRecordError) return false
    throw error
  }
}
