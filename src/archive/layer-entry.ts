import { InvalidArgumentError } from '../base/errors.ts'
import {
  describePath,
  joinPath,
  nameOf,
  parentOf,
  type PathString,
} from './path-bytes.ts'
import { entryPath } from './entry-path.ts'
import type { TarEntry } from './tar/tar-entry.ts'
import {
  AUFS_LINKS,
  AUFS_PREFIX,
  OPAQUE_MARKER,
  WHITEOUT_PREFIX,
} from './whiteout.ts'

/**
 * What an entry of a layer tar asks for.
 *
 * - `make`: that it be there, in the place of whatever is there
 * - `delete`: that `path`, of this layer or below, be gone
 * - `hide`: that nothing from the layers below be left in `path`
 * - `keep`: aufs's file with several names, for links to come; `name` is its key
 * - `link-kept`: one of those names
 * - `skip`: nothing
 */
export type LayerEntry =
  | { readonly action: 'make'; readonly path: PathString }
  | { readonly action: 'delete'; readonly path: PathString }
  | { readonly action: 'hide'; readonly path: PathString }
  | { readonly action: 'keep'; readonly name: PathString }
  | {
      readonly action: 'link-kept'
      readonly path: PathString
      readonly name: PathString
    }
  | { readonly action: 'skip' }

const SKIP: LayerEntry = { action: 'skip' }

/** Components that, read as whiteouts, would delete a directory from within. */
const DANGEROUS = /(?:^|\/)\.wh\.(?:\.{0,2})(?:\/|$)/

/**
 * Reads an entry as Docker does: by its name alone, whatever its type and data.
 *
 * @throws InvalidArgumentError for a whiteout of nothing, of `.`, or of `..`.
 */
export function readLayerEntry(entry: TarEntry): LayerEntry {
  const path = entryPath(entry.name)
  if (!path.includes(WHITEOUT_PREFIX)) return plain(entry, path)
  if (DANGEROUS.test(path)) {
    throw new InvalidArgumentError(
      `Tar entry ${describePath(entry.name)} is not a valid whiteout`,
    )
  }
  const name = nameOf(path)
  if (path.startsWith(AUFS_PREFIX) && path !== OPAQUE_MARKER) {
    const isKept = entry.type === 'file' && parentOf(path) === AUFS_LINKS
    return isKept ? { action: 'keep', name } : SKIP
  }
  if (name === OPAQUE_MARKER) return { action: 'hide', path: parentOf(path) }
  if (!name.startsWith(WHITEOUT_PREFIX)) return plain(entry, path)
  const target = name.slice(WHITEOUT_PREFIX.length)
  return { action: 'delete', path: joinPath(parentOf(path), target) }
}

function plain(entry: TarEntry, path: PathString): LayerEntry {
  if (entry.type !== 'hardlink') return { action: 'make', path }
  const target = entryPath(entry.linkName)
  if (!target.startsWith(`${AUFS_LINKS}/`)) return { action: 'make', path }
  return { action: 'link-kept', path, name: nameOf(target) }
}
