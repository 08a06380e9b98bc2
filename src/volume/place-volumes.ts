import * as fs from 'node:fs'
import { join } from 'node:path'
import { asError } from '../base/errors.ts'
import { type Failure, packed } from '../base/failure.ts'
import { syncDirectoryNow } from '../state/atomic-file.ts'
import {
  DATA,
  PASSAGE_MODE,
  RECORD,
  RECORD_COPY,
  VIEW,
} from './folder-layout.ts'
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
 * that it could not, which is where it was then.
 *
 * A draft is on disk before it gets its place, and its place before it is answered
 * for: after a power cut whatever stands in `volumes` is whole, and the volume of
 * that name that was removed just before is not back in its stead. A draft that a
 * crash leaves was never answered for.
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
    syncDirectoryNow(draft.directory)
  })
  for (const { file } of attempts) if (file !== undefined) fs.closeSync(file)
  forEach(attempts, ({ draft }) =>
    fs.renameSync(draft.directory, join(volumes, draft.name)),
  )
  keepPlaces(volumes, attempts)
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

/** One sync is for all that got a place. Should it fail, none of them has one. */
function keepPlaces(volumes: string, attempts: readonly Attempt[]): void {
  const placed = attempts.filter(({ failure }) => failure === undefined)
  if (placed.length === 0) return
  try {
    syncDirectoryNow(volumes)
  } catch (error) {
    forEach(placed, ({ draft }) =>
      fs.renameSync(join(volumes, draft.name), draft.directory),
    )
    const failure = packed(asError(error))
    for (const attempt of placed) attempt.failure = failure
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
  // It is not waited for: while it is not on disk, the record is.
  fs.writeFileSync(join(directory, RECORD_COPY), record, { mode: 0o600 })
  const file = fs.openSync(join(directory, RECORD), 'wx', 0o600)
  try {
    fs.writeFileSync(file, record)
    return file
  } catch (error) {
    fs.closeSync(file)
    throw error
  }
}
