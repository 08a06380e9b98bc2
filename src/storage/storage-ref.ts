import { InvalidArgumentError } from '../base/errors.ts'

/** What a storage URL names: a store, or a volume or image in one. */
export type StorageRef =
  | { readonly kind: 'volume-store'; readonly store: string }
  | { readonly kind: 'volume'; readonly store: string; readonly id: string }
  | { readonly kind: 'image-store'; readonly store: string }
  | { readonly kind: 'image'; readonly store: string; readonly id: string }

/** The most bytes a name may have: what a filesystem takes for one component. */
export const MAX_NAME_BYTES = 255

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/

/**
 * Whether `name` can name a store, a volume or an image. Such a name is one path
 * component that never leaves its directory.
 */
export function isStorageName(name: string): boolean {
  return NAME.test(name) && name.length <= MAX_NAME_BYTES
}

/**
 * The self link of what `ref` names: `/storage/volumes/STORE/ID`. It has no host,
 * because a machine that is renamed keeps its volumes.
 */
export function formatRef(ref: StorageRef): string {
  const names = 'id' in ref ? [ref.store, ref.id] : [ref.store]
  for (const name of names) {
    if (!isStorageName(name)) throw refusal(name, NAME_RULE)
  }
  return ['', 'storage', AREAS[ref.kind], ...names].join('/')
}

/**
 * What `link` names. The host of a URL is ignored; nothing but a link that
 * {@link formatRef} makes is one, give or take percent-encoding.
 *
 * @throws InvalidArgumentError, and nothing else, for any other text.
 */
export function parseRef(link: string): StorageRef {
  const [first, root, area, ...names] = link.replace(HOST, '').split('/')
  if (first !== '') throw refusal(link, 'it must begin with a slash')
  if (root !== 'storage') throw refusal(link, 'it must begin with /storage/')
  if (area !== 'volumes' && area !== 'images') {
    throw refusal(link, '/storage/ must be followed by volumes or images')
  }
  const [store, id, ...more] = names.map((name) => decode(link, name))
  if (store === undefined) throw refusal(link, 'it names no store')
  if (more.length > 0) throw refusal(link, 'it has more than four parts')
  const kind = area === 'volumes' ? 'volume' : 'image'
  return id === undefined
    ? { kind: `${kind}-store`, store }
    : { kind, store, id }
}

/** Whether `link` names a volume or an image, and not a store or nothing. */
export function isSelfLink(link: string): boolean {
  try {
    return 'id' in parseRef(link)
  } catch {
    return false
  }
}

const AREAS = {
  'volume-store': 'volumes',
  volume: 'volumes',
  'image-store': 'images',
  image: 'images',
} as const

const HOST = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i

function decode(link: string, name: string): string {
  const decoded = percentDecode(name)
  if (decoded === undefined || !isStorageName(decoded)) {
    throw refusal(link, NAME_RULE)
  }
  return decoded
}

function percentDecode(name: string): string | undefined {
  try {
    return decodeURIComponent(name)
  } catch {
    return undefined
  }
}

const NAME_RULE = `names have 1 to ${MAX_NAME_BYTES} of [a-zA-Z0-9_.-] and begin with a letter or digit`

function refusal(link: string, reason: string): InvalidArgumentError {
  const shown = link.length > 80 ? `${link.slice(0, 80)}…` : link
  return new InvalidArgumentError(
    `Storage link "${shown}" is not valid: ${reason}`,
  )
}
