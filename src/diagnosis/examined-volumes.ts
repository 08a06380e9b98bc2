import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno, messageOf } from '../base/errors.ts'
import { exists, namesIn } from '../state/listing.ts'
import * as layout from '../volume/folder-layout.ts'
import {
  DamagedRecordError,
  parseRecord,
  type VolumeRecord,
} from '../volume/volume-record.ts'
import { isStorageName } from '../storage/storage-ref.ts'
import type { ExaminedStore } from './place.ts'

/** What stands among the volumes of a store on disk. */
export interface ExaminedVolume {
  readonly name: string
  readonly store: ExaminedStore
  readonly directory: string
  /** Whether it has the form of a volume at all: a directory with a good name. */
  readonly isVolume: boolean
  readonly record?: VolumeRecord
  /** Why there is no record. */
  readonly damage?: string
  /** Whether its files are there: those of an adopted one are elsewhere. */
  readonly hasData: boolean
}

/** All that is where the volumes of `store` are, read from the disk alone. */
export async function volumesOf(
  store: ExaminedStore,
): Promise<readonly ExaminedVolume[]> {
  const volumes = join(store.directory, layout.VOLUMES)
  const found: ExaminedVolume[] = []
  for (const name of await namesIn(volumes)) {
    found.push(await examined(store, name, join(volumes, name)))
  }
  return found
}

async function examined(
  store: ExaminedStore,
  name: string,
  directory: string,
): Promise<ExaminedVolume> {
  const isDirectory = (await fs.lstat(directory)).isDirectory()
  const base = {
    name,
    store,
    directory,
    isVolume: isDirectory && isStorageName(name),
    hasData: isDirectory && (await hasEntry(directory, layout.DATA)),
  }
  if (!base.isVolume) return base
  try {
    const text = await fs.readFile(join(directory, layout.RECORD), 'utf8')
    const record = parseRecord(text, name)
    const { path } = record.options
    if (path === undefined) return { ...base, record }
    return { ...base, record, hasData: await exists(path) }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      return { ...base, damage: 'its record is missing' }
    }
    if (!(error instanceof DamagedRecordError)) throw error
    return { ...base, damage: messageOf(error) }
  }
}

async function hasEntry(directory: string, name: string): Promise<boolean> {
  return (await namesIn(directory)).includes(name)
}
