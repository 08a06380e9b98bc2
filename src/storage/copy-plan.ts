import { basename, normalize } from 'node:path/posix'
import type { FilterSpec } from '../archive/filter-spec.ts'
import { InvalidArgumentError } from '../base/errors.ts'

/**
 * One of the trees that make up what a container sees: its own at `/`, and a
 * volume at each other destination.
 */
export interface CopyMount {
  /** Where it appears, as an absolute path. */
  readonly destination: string
  /** The key of its store in the registry, and its id there. */
  readonly key: string
  readonly id: string
  readonly readonly?: boolean | undefined
}

/** One archive to export or import, and how its entries are filtered and named. */
export interface CopyStep {
  readonly mount: CopyMount
  readonly filter: FilterSpec
}

/** Says for each entry of an archive which mount it goes to. */
export interface CopyRouter {
  /** @throws InvalidArgumentError when the entry leaves the destination, or its mount is read-only. */
  route(entry: string): CopyStep
}

/**
 * The exports that, one after the other, are what `docker cp CONTAINER:PATH` gives:
 * first the tree that holds `path`, then all that is mounted below it.
 *
 * `path` may end in `/.`, which means what is in the directory and not the
 * directory itself.
 *
 * @throws InvalidArgumentError when `path` is in none of `mounts`.
 */
export function planCopyFrom(
  path: string,
  mounts: readonly CopyMount[],
): readonly CopyStep[] {
  const contentsOnly = path === '.' || path.endsWith('/.')
  const asked = cleaned(path)
  const name = contentsOnly ? '' : basename(asked)
  const holder = holderOf(asked, mounts)
  const below = mounts
    .filter((mount) => isBelow(cleaned(mount.destination), asked))
    .toSorted((a, b) => (a.destination < b.destination ? -1 : 1))

  const inHolder = relative(holder.destination, asked)
  const first = {
    mount: holder,
    filter: {
      include: [contentsOnly ? `${inHolder}/` : inHolder],
      exclude: [
        ...(inHolder === '' && !contentsOnly ? [] : ['']),
        ...mountsBelow(holder, mounts),
      ],
      rebase: name,
      strip: inHolder,
    },
  }
  const others = below.map((mount) => ({
    mount,
    filter: {
      include: [''],
      exclude: mountsBelow(mount, mounts),
      rebase: joined(name, relative(asked, mount.destination)),
      strip: '',
    },
  }))
  return [first, ...others]
}

/**
 * Where the entries of an archive go that is unpacked at `path`, as
 * `docker cp - CONTAINER:PATH` does.
 *
 * @throws InvalidArgumentError when `path` is in none of `mounts`.
 */
export function planCopyTo(
  path: string,
  mounts: readonly CopyMount[],
): CopyRouter {
  const asked = cleaned(path)
  const first = holderOf(asked, mounts)
  const steps = new Map<CopyMount, CopyStep>()
  return {
    route(entry) {
      if (entry.split('/').includes('..')) {
        throw new InvalidArgumentError(`Entry "${entry}" leaves "${asked}"`)
      }
      const mount = holderOf(cleaned(`${asked}/${entry}`), mounts)
      if (mount.readonly === true) {
        throw new InvalidArgumentError(
          `Entry "${entry}" cannot be copied: "${mount.destination}" is mounted read-only`,
        )
      }
      const step = steps.get(mount) ?? {
        mount,
        filter:
          mount === first
            ? { rebase: relative(mount.destination, asked), strip: '' }
            : { rebase: '', strip: relative(asked, mount.destination) },
      }
      steps.set(mount, step)
      return step
    },
  }
}

/** The mount that `path` is in: the one with the longest destination. */
function holderOf(path: string, mounts: readonly CopyMount[]): CopyMount {
  const [holder] = mounts
    .filter(({ destination }) => isWithin(path, cleaned(destination)))
    .toSorted((a, b) => b.destination.length - a.destination.length)
  if (holder !== undefined) return holder
  throw new InvalidArgumentError(`Path "${path}" is in none of the mounts`)
}

/** What `mount` must leave out, because another mount hides it. */
function mountsBelow(
  { destination }: CopyMount,
  mounts: readonly CopyMount[],
): string[] {
  return mounts
    .filter((other) =>
      isBelow(cleaned(other.destination), cleaned(destination)),
    )
    .map((other) => `${relative(destination, other.destination)}/`)
    .toSorted()
}

/** `path` with a slash at its front, none at its end, and nothing odd between. */
function cleaned(path: string): string {
  const plain = normalize(`/${path}/.`).replace(/\/$/, '')
  return plain === '' ? '/' : plain
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || isBelow(path, directory)
}

function isBelow(path: string, directory: string): boolean {
  if (path === directory) return false
  return path.startsWith(directory === '/' ? '/' : `${directory}/`)
}

/** `path` seen from `directory`, which holds it: no slash at either end. */
function relative(directory: string, path: string): string {
  return cleaned(path).slice(cleaned(directory).length).replace(/^\//, '')
}

function joined(...names: readonly string[]): string {
  return names.filter((name) => name !== '').join('/')
}
