import { InvalidArgumentError } from '../base/errors.ts'
import { parseCapacity } from './capacity.ts'
import {
  IMAGE_FILESYSTEMS,
  type ImageFilesystem,
  isImageFilesystem,
} from './loop/image-filesystem.ts'
import type { OpenKeeping } from './volume-keeping.ts'

/** What a store may be told beyond its kind and its path. */
export interface StoreParameters {
  /** The capacity of volumes that are given none. */
  readonly capacity?: number
  /** The filesystem of new images. */
  readonly filesystem?: ImageFilesystem
  /** Whether new images take their room on disk at once. */
  readonly reserve?: boolean
}

interface StoreForm {
  readonly takes: readonly (keyof StoreParameters)[]
  readonly keep: (parameters: StoreParameters) => OpenKeeping
}

/**
 * The stores that are built in, each loaded when one of its kind is opened. A new
 * one needs an entry here.
 */
const KINDS = {
  local: {
    takes: [],
    keep: () => async () => {
      const { LocalKeeping } = await import('./local/local-keeping.ts')
      return new LocalKeeping()
    },
  },
  btrfs: {
    takes: ['capacity'],
    keep: (parameters) => async (store) => {
      const { BtrfsKeeping } = await import('./btrfs/btrfs-keeping.ts')
      return BtrfsKeeping.open(store, parameters)
    },
  },
  loop: {
    takes: ['capacity', 'filesystem', 'reserve'],
    keep: (parameters) => async (store) => {
      const { LoopKeeping } = await import('./loop/loop-keeping.ts')
      return LoopKeeping.open(store, parameters)
    },
  },
  tmpfs: {
    takes: ['capacity'],
    keep: (parameters) => async () => {
      const { TmpfsKeeping } = await import('./tmpfs/tmpfs-keeping.ts')
      return new TmpfsKeeping(parameters)
    },
  },
} satisfies Record<string, StoreForm>

export type StoreKind = keyof typeof KINDS

export const STORE_KINDS: readonly string[] = Object.keys(KINDS)

export function isStoreKind(kind: string): kind is StoreKind {
  return Object.hasOwn(KINDS, kind)
}

/** How a store of that kind keeps its volumes. */
export function keepingOf(
  kind: StoreKind,
  parameters: StoreParameters,
): OpenKeeping {
  return KINDS[kind].keep(parameters)
}

/**
 * Reads the parameters of a store, such as `capacity=10GiB&filesystem=xfs`.
 *
 * @throws InvalidArgumentError for one that stores of that kind do not have, and
 *   for a value that it cannot have.
 */
export function readStoreParameters(
  kind: StoreKind,
  query: string,
): StoreParameters {
  const { takes }: StoreForm = KINDS[kind]
  let parameters: StoreParameters = {}
  for (const [name, text] of new URLSearchParams(query)) {
    const known = takes.find((parameter) => parameter === name)
    if (known === undefined) {
      const choice = takes.length === 0 ? 'none' : takes.join(', ')
      throw new InvalidArgumentError(
        `a ${kind} store has no parameter "${name}": it has ${choice}`,
      )
    }
    parameters = { ...parameters, ...READ[known](text) }
  }
  return parameters
}

const READ: Readonly<
  Record<keyof StoreParameters, (text: string) => StoreParameters>
> = {
  capacity: (text) => ({ capacity: parseCapacity(text) }),
  filesystem: (text) => ({ filesystem: readFilesystem(text) }),
  reserve: (text) => ({ reserve: readFlag(text) }),
}

function readFilesystem(text: string): ImageFilesystem {
  if (isImageFilesystem(text)) return text
  throw new InvalidArgumentError(
    `its filesystem cannot be "${text}": it is one of ${IMAGE_FILESYSTEMS.join(', ')}`,
  )
}

function readFlag(text: string): boolean {
  if (['', 'true', '1', 'yes'].includes(text)) return true
  if (['false', '0', 'no'].includes(text)) return false
  throw new InvalidArgumentError(
    `its "reserve" cannot be "${text}": it must be "true" or "false"`,
  )
}
