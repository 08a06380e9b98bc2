import { join } from 'node:path'
import { InvalidArgumentError, messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { StoreCircumstances, VolumeStoreSource } from './attached-store.ts'
import { LocalVolumeStore } from './local/local-volume-store.ts'
import type { VolumeStorer } from './volume-storer.ts'

/** One volume store as the settings name it: `NAME=KIND:PATH?key=value&…`. */
export interface VolumeStoreSpec {
  readonly name: string
  readonly kind: StoreKind
  /** The store's directory; empty for one under the data root. */
  readonly path: string
}

/** What every kind of store is opened with. */
interface OpenOptions extends StoreCircumstances {
  readonly name: string
  readonly directory: string
  readonly log: Log
}

/** The stores that are built in. A new one needs a line here. */
const KINDS = {
  local: (options: OpenOptions): Promise<VolumeStorer> =>
    LocalVolumeStore.open(options),
}

export type StoreKind = keyof typeof KINDS

const SPEC =
  /^(?<name>[^=:?]+)=(?<kind>[^=:?]+):(?<path>[^?]*)(?:\?(?<query>.*))?$/
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/

/**
 * Reads the stores that `text` lists with blanks between them, or maps by name in
 * JSON, for paths with blanks: `{"NAME": "KIND:PATH", …}`.
 *
 * @throws InvalidArgumentError that says what is wrong with which, and what would
 *   be right.
 */
export function parseStoreSpecs(text: string): readonly VolumeStoreSpec[] {
  const specs = split(text).map(parseSpec)
  if (specs.length === 0) {
    throw new InvalidArgumentError('At least one volume store is needed')
  }
  const names = new Set<string>()
  for (const { name } of specs) {
    if (names.has(name)) {
      throw new InvalidArgumentError(`Volume store "${name}" is listed twice`)
    }
    names.add(name)
  }
  return specs
}

/** Where a store comes from that `spec` describes. */
export function storeSource(
  spec: VolumeStoreSpec,
  { dataRoot, log }: { readonly dataRoot: string; readonly log: Log },
): VolumeStoreSource {
  const { name, kind, path } = spec
  const directory = path === '' ? join(dataRoot, 'volumes', name) : path
  return {
    name,
    kind,
    open: (circumstances) =>
      KINDS[kind]({ name, directory, log, ...circumstances }),
  }
}

function split(text: string): readonly string[] {
  if (!text.trimStart().startsWith('{'))
    return text.split(/\s+/).filter(Boolean)
  try {
    return Object.entries<unknown>(JSON.parse(text)).map(
      ([name, rest]) => `${name}=${String(rest)}`,
    )
  } catch (error) {
    throw new InvalidArgumentError(
      `The volume stores are not JSON: ${messageOf(error)}`,
      { cause: error },
    )
  }
}

function parseSpec(text: string): VolumeStoreSpec {
  const { name, kind, path = '', query } = SPEC.exec(text)?.groups ?? {}
  if (name === undefined || kind === undefined) {
    throw refusal(text, 'write it as NAME=KIND:PATH')
  }
  if (!NAME.test(name)) {
    throw refusal(
      text,
      'its name may have up to 64 letters, digits, "_", "." and "-"',
    )
  }
  if (!isStoreKind(kind)) {
    throw refusal(
      text,
      `its kind is "${kind}", and the kinds are ${Object.keys(KINDS).join(', ')}`,
    )
  }
  if (path !== '' && !path.startsWith('/')) {
    throw refusal(text, 'its path must be absolute, or empty')
  }
  const [parameter] = new URLSearchParams(query).keys()
  if (parameter !== undefined) {
    throw refusal(text, `a ${kind} store has no parameter "${parameter}"`)
  }
  return { name, kind, path }
}

function isStoreKind(kind: string): kind is StoreKind {
  return Object.hasOwn(KINDS, kind)
}

function refusal(text: string, reason: string): InvalidArgumentError {
  return new InvalidArgumentError(`Volume store "${text}": ${reason}`)
}
