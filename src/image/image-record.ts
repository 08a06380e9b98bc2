import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno, messageOf } from '../base/errors.ts'
import { type LayerId, NO_PARENT } from '../graph/driver.ts'
import { exists } from '../state/listing.ts'
import { type ImageFacts, SCRATCH } from './image.ts'
import { DamagedImageError } from './image-errors.ts'
import { IMAGE_RECORD, RECORD_FORMAT } from './layout.ts'

/** An image as it is written down, with the layer of the driver that it is. */
export interface ImageRecord extends ImageFacts {
  readonly layer: LayerId
}

/**
 * The layer that an image on top of `parent` has for its parent. What lies on
 * scratch is a base layer to the driver: it spares a level, and outlives a scratch
 * that is lost.
 */
export function layerBelow(parent: ImageRecord): LayerId {
  return parent.id === SCRATCH ? NO_PARENT : parent.layer
}

export type Fields = Readonly<Record<string, unknown>>

/** The record of a store's scratch, which is an empty layer. */
export function scratchRecord(layer: LayerId): ImageRecord {
  return {
    id: SCRATCH,
    parent: undefined,
    layer,
    digest: NOTHING,
    diffId: NOTHING,
    size: 0,
    depth: 0,
    createdAt: new Date().toISOString(),
    metadata: {},
  }
}

/** The digest of no bytes at all. */
const NOTHING =
  'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/** A record as JSON, for people too. */
export function formatRecord(record: object): string {
  return `${JSON.stringify({ format: RECORD_FORMAT, ...record }, undefined, 2)}\n`
}

/**
 * The record in the directory of the image `id`, or `undefined` when there is no
 * such directory.
 *
 * @throws DamagedImageError when the record cannot be read.
 */
export async function readImageRecord(
  directory: string,
  id: string,
): Promise<ImageRecord | undefined> {
  const what = `Image "${id}"`
  const fields = await readRecord(join(directory, IMAGE_RECORD), what)
  if (fields === undefined) return undefined
  if (isImageRecord(fields) && fields.id === id) return fields
  throw new DamagedImageError(what, 'its record is that of something else')
}

/**
 * The fields of the record at `path`, which belongs to `what`, or `undefined` when
 * its directory is not there either.
 *
 * @throws DamagedImageError when the record cannot be read.
 */
export async function readRecord(
  path: string,
  what: string,
): Promise<Fields | undefined> {
  let fields: unknown
  try {
    fields = JSON.parse(await fs.readFile(path, 'utf8'))
  } catch (error) {
    if (isErrno(error, 'EMFILE', 'ENFILE')) throw error
    if (isErrno(error, 'ENOENT') && !(await exists(join(path, '..')))) {
      return undefined
    }
    throw new DamagedImageError(what, messageOf(error), { cause: error })
  }
  if (isFields(fields) && fields['format'] === RECORD_FORMAT) return fields
  throw new DamagedImageError(
    what,
    `its record is not of format ${RECORD_FORMAT}`,
  )
}

const TEXTS = ['id', 'layer', 'digest', 'diffId', 'createdAt'] as const
const COUNTS = ['size', 'depth'] as const

function isImageRecord(fields: Fields): fields is Fields & ImageRecord {
  const { parent, metadata } = { parent: undefined, metadata: {}, ...fields }
  return (
    TEXTS.every((name) => isText(fields[name])) &&
    COUNTS.every((name) => Number.isSafeInteger(fields[name])) &&
    (parent === undefined || isText(parent)) &&
    isFields(metadata) &&
    Object.values(metadata).every(isText)
  )
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
