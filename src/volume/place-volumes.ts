import * as fs from 'node:fs'
import { join } from 'node:path'
import { asError } from '../base/errors.ts'
import { type Failure, packed } from '../base/failure.ts'
import { syncEntries } from '../linux/sync-filesystem.ts'
import { DATA, PASSAGE_MODE, RECORD, VIEW } from './folder-layout.ts'
import type { VolumeOptions } from './volume-options.ts'
import { setAttributesSync } from './volume-root.ts'

/** A volume in the making. */
export interface Draft {
  readonly name: string
  /** Its directory, until it is whole. */
  readonly directory: string
  /** Where its files are: to be made with the directory, made already, or not ours. */
  readonly data: 'to be made' | 'made' | 'elsewhere'
  readonly options: VolumeOptions
  /** The text of its record. */
  readonly record: string
}

interface Attempt {
  readonly draft: Draft
  file?: number
  failure?: Failure
}

/**
 * Finishes drafts and renames them into `volumes`, and answers a failure for each
 * that it could not.
 *
 * The record is what is written last, so a draft that has one is a volume but for
 * its place. It is synchronised with its directory, and so is the rename, for the
 * volume of that name that was removed just before must not be back in its way. A
 * draft that a crash leaves before is given its place by `FolderDrafts.finish`.
 *
 * Synchronous, for a thread: to hand each of these calls to one would take several
 * times as long as the calls.
 */
export function placeVolumes(
  volumes: string,
  drafts: readonly Draft[],
): readonly (Failure | undefined)[] {
  const attempts: readonly Attempt[] = drafts.map((draft) => ({ draft }))
  forEach(attempts, (attempt) => {
    attempt.file = writeDraft(attempt.draft)
  })
  forEach(attempts, ({ draft, file }) => {
    if (file === undefined) return
    fs.fsyncSync(file)
    syncDirectory(draft.directory)
  })
  for (const { file } of attempts) if (file !== undefined) fs.closeSync(file)
  forEach(attempts, ({ draft }) =>
    fs.renameSync(draft.directory, join(volumes, draft.name)),
  )
  // One that was removed under the same name would be back, and in the way.
  forEach(attempts.slice(-1), () => syncEntries(volumes))
  return attempts.map(({ failure }) => failure)
}

/** Does the next thing for each that has not failed before. */
function forEach(
  attempts: readonly Attempt[],
  step: (attempt: Attempt) => void,
): void {
  for (const attempt of attempts) {
    if (attempt.failure !== undefined) continue
    try {
      step(attempt)
    } catch (error) {
      attempt.failure = packed(asError(error))
    }
  }
}

/** Makes all that a volume is but its name, and leaves its record open. */
function writeDraft({ directory, data, options, record }: Draft): number {
  if (data !== 'made') fs.mkdirSync(directory, { mode: PASSAGE_MODE })
  if (data === 'to be made') {
    fs.mkdirSync(join(directory, DATA), { mode: 0o755 })
    setAttributesSync(join(directory, DATA), options)
  }
  if (options.ro) fs.mkdirSync(join(directory, VIEW), { mode: 0o755 })
  const file = fs.openSync(join(directory, RECORD), 'wx', 0o600)
  try {
    fs.writeFileSync(file, record)
    return file
  } catch (error) {
    fs.closeSync(file)
    throw error
  }
}

function syncDirectory(path: string): void {
  const directory = fs.openSync(path, 'r')
  try {
    fs.fsyncSync(directory)
  } finally {
    fs.closeSync(directory)
  }
}
