import { isAbsolute } from 'node:path'
import { InvalidArgumentError } from '../base/errors.ts'
import { isStorageName } from './storage-ref.ts'

/** What storage is opened with: checked once, and the same from then on. */
export interface Configuration {
  /** The directory under which everything that is kept lies. */
  readonly dataRoot: string
  /** Image stores that exist after opening, created where they did not. */
  readonly imageStores: readonly string[]
  /** The most bytes that the layers of one image store may hold. */
  readonly imageQuota: number
  /** The most layers that may lie on one another in an image store. */
  readonly maxLayerDepth: number
  /** The milliseconds that closing waits for running work before aborting it. */
  readonly closeWithin: number
}

/** What is not given has a default. */
export type Settings = Pick<Configuration, 'dataRoot'> & Partial<Configuration>

const DEFAULTS = {
  imageStores: [],
  imageQuota: Infinity,
  // As deep as Docker lets images be.
  maxLayerDepth: 125,
  closeWithin: 10_000,
} as const satisfies Omit<Configuration, 'dataRoot'>

/** @throws InvalidArgumentError that names the first field that is wrong. */
export function configuration(settings: Settings): Configuration {
  const all = { ...DEFAULTS, ...settings }
  check('dataRoot', isAbsolute(all.dataRoot), 'an absolute path')
  check(
    'imageStores',
    all.imageStores.every(isStorageName) && areDistinct(all.imageStores),
    'a list of different names of [a-zA-Z0-9_.-]',
  )
  check(
    'imageQuota',
    isCount(all.imageQuota) || all.imageQuota === Infinity,
    'a number of bytes',
  )
  check('maxLayerDepth', isCount(all.maxLayerDepth), 'a number of layers')
  check('closeWithin', isCount(all.closeWithin), 'a number of milliseconds')
  const imageStores = Object.freeze([...all.imageStores])
  return Object.freeze({ ...all, imageStores })
}

function check(field: keyof Configuration, holds: boolean, rule: string): void {
  if (holds) return
  throw new InvalidArgumentError(
    `Storage configuration is not valid: ${field} must be ${rule}`,
  )
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0
}

function areDistinct(names: readonly string[]): boolean {
  return new Set(names).size === names.length
}
