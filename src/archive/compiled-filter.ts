import { InvalidArgumentError } from '../base/errors.ts'
import type { FilterSpec } from './filter-spec.ts'
import { type PathString, toPathString } from './path-bytes.ts'

/**
 * A checked {@link FilterSpec}, ready to be asked about the entries of a tree.
 *
 * Names are relative to the root and have no slash at either end; the root itself
 * is the empty name.
 */
export class CompiledFilter {
  readonly #include: readonly Key[]
  readonly #exclude: readonly Key[]
  readonly #strip: PathString
  readonly #rebase: PathString

  private constructor(spec: FilterSpec) {
    const { include = [], exclude = [], strip = '', rebase = '' } = spec
    this.#include = include.map(toKey)
    this.#exclude = exclude.map(toKey)
    if (include.length > 0 && exclude.length === 0) this.#exclude = [EVERYTHING]
    this.#strip = toKey(strip).path
    this.#rebase = toKey(rebase).path
  }

  /** @throws InvalidArgumentError when a path of `spec` leaves the root. */
  static compile(spec: FilterSpec = {}): CompiledFilter {
    return new CompiledFilter(spec)
  }

  excludes(name: PathString): boolean {
    return longest(this.#exclude, name) > longest(this.#include, name)
  }

  /**
   * Whether nothing below the directory `name` can be included, so that nobody
   * need look.
   */
  prunes(name: PathString): boolean {
    if (name === '') return false
    const within = `${name}/`
    if (this.#include.some(({ path }) => path.startsWith(within))) return false
    return this.excludes(within)
  }

  /**
   * What `name` is called on the other side, or `undefined` when nothing is left
   * of it: the thing becomes the root.
   */
  rename(name: PathString): PathString | undefined {
    const rest = isWithin(name, this.#strip)
      ? name.slice(this.#strip.length).replace(/^\//, '')
      : name
    const renamed = [this.#rebase, rest].filter((part) => part !== '').join('/')
    return renamed === '' ? undefined : renamed
  }
}

/** A path of a specification. A longer one, by this rank, is a closer match. */
interface Key {
  readonly path: PathString
  readonly contentsOnly: boolean
  readonly rank: number
}

const NO_MATCH = -1

const EVERYTHING: Key = { path: '', contentsOnly: false, rank: 0 }

function toKey(path: string): Key {
  const components = path.split('/').filter((name) => !['', '.'].includes(name))
  if (components.includes('..') || path.includes('\0')) {
    throw new InvalidArgumentError(
      `Filter path "${path}" must stay below the root`,
    )
  }
  const contentsOnly = path.endsWith('/')
  return {
    path: toPathString(Buffer.from(components.join('/'))),
    contentsOnly,
    rank: 2 * components.length + Number(contentsOnly),
  }
}

function longest(keys: readonly Key[], name: PathString): number {
  let rank = NO_MATCH
  for (const key of keys) {
    if (key.rank > rank && matches(key, name)) rank = key.rank
  }
  return rank
}

function matches({ path, contentsOnly }: Key, name: PathString): boolean {
  return isWithin(name, path) && !(contentsOnly && name === path)
}

/** Whether `name` is `path` or below it. */
function isWithin(name: PathString, path: PathString): boolean {
  return path === '' || name === path || name.startsWith(`${path}/`)
}
