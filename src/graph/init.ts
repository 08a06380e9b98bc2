import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import type { IdMap, IdRange } from '../archive/id-map.ts'
import { isErrno } from '../base/errors.ts'
import { writeFileAtomic } from '../state/atomic-file.ts'

/** What Docker says when it starts, and to nobody who starts later. */
export interface InitParameters {
  /** The directory for layers. Docker names it and does not make it. */
  readonly home: string
  /** The `--storage-opt` pairs of dockerd, such as `stowage.driver=vfs`. */
  readonly options: readonly string[]
  readonly uidMaps: IdMap
  readonly gidMaps: IdMap
}

const FILE = 'graph.json'

/** What the last Init said, or `undefined` where there never was one. */
export async function readInit(
  dataRoot: string,
): Promise<InitParameters | undefined> {
  const path = join(dataRoot, FILE)
  let text: string
  try {
    text = await fs.readFile(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
  const value = parseJson(text)
  if (isInit(value)) return value
  throw new Error(`"${path}" is damaged: Docker's next start writes it anew`)
}

/** Remembers `parameters`, also across a power cut. */
export async function writeInit(
  dataRoot: string,
  { home, options, uidMaps, gidMaps }: InitParameters,
): Promise<void> {
  const known: InitParameters = { home, options, uidMaps, gidMaps }
  await writeFileAtomic(join(dataRoot, FILE), `${JSON.stringify(known)}\n`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isInit(value: unknown): value is InitParameters {
  return (
    isRecord(value) &&
    typeof value.home === 'string' &&
    Array.isArray(value.options) &&
    value.options.every((option) => typeof option === 'string') &&
    isIdMap(value.uidMaps) &&
    isIdMap(value.gidMaps)
  )
}

function isIdMap(value: unknown): value is IdMap {
  return Array.isArray(value) && value.every(isIdRange)
}

function isIdRange(value: unknown): value is IdRange {
  return (
    isRecord(value) &&
    typeof value.containerId === 'number' &&
    typeof value.hostId === 'number' &&
    typeof value.size === 'number'
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
