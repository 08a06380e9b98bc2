import { InvalidArgumentError } from '../base/errors.ts'
import type { FilterSpec } from './filter-spec.ts'

/**
 * A checked {@link FilterSpec}, ready to be asked about the entries of a tree.
 *
 * Names are bytes, relative to the root and without slashes at either end; the
 * root itself is the empty name.
 */
export class CompiledFilter {
  readonly #include: readonly Key[]
  readonly #exclude: readonly Key[]
  readonly #strip: string
  readonly #rebase: string

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

  excludes(name: Buffer): boolean {
    const text = toText(name)
    return longest(this.#exclude, text) > longest(this.#include, text)
  }

  /**
   * Whether nothing below the directory `name` can be included, so that nobody
   * need look.
   */
  prunes(name: Buffer): boolean {
    const text = `${toText(name)}/`
    if (text === '/') return false
    if (this.#include.some(({ path }) => path.startsWith(text))) return false
    return longest(this.#exclude, text) > longest(this.#include, text)
  }

  /**
   * What `name` is called on the other side, or `undefined` when nothing is left
   * of it: the thing becomes the root.
   */
  rename(name: Buffer): Buffer | undefined {
    const text = toText(name)
    const rest = isWithin(text, this.#strip)
      ? text.slice(this.#strip.length).replace(/^\//, '')
      : text
    const renamed = [this.#rebase, rest].filter(Boolean).join('/')
    return renamed === '' ? undefined : Buffer.from(renamed, 'latin1')
  }
}

/** A path of a specification. A longer one, by this rank, is a closer match. */
interface Key {
  readonly path: string
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
    path: toText(Buffer.from(components.join('/'))),
    contentsOnly,
    rank: 2 * components.length + Number(contentsOnly),
  }
}

function longest(keys: readonly Key[], name: string): number {
  let rank = NO_MATCH
  for (const key of keys) {
    if (key.rank > rank && matches(key, name)) rank = key.rank
  }
  return rank
}

function matches({ path, contentsOnly }: Key, name: string): boolean {
  return isWithin(name, path) && !(contentsOnly && name === path)
}

/** Whether `name` is `path` or below it. */
function isWithin(name: string, path: string): boolean {
  return path === '' || name === path || name.startsWith(`${path}/`)
}

/** One character for each byte, so that names of any bytes compare as text does. */
function toText(name: Buffer): string {
  return name.toString('latin1')
}
