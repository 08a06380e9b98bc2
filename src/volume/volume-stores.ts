import { join } from 'node:path'
import { InvalidArgumentError, messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { VolumeStoreSource } from './attached-store.ts'
import { mayHang } from '../linux/may-hang.ts'
import {
  isStoreKind,
  keepingOf,
  readStoreParameters,
  STORE_KINDS,
  type StoreKind,
  type StoreParameters,
} from './store-kinds.ts'

/** One volume store as the settings name it: `NAME=KIND:PATH?key=value&…`. */
export interface VolumeStoreSpec {
  readonly name: string
  readonly kind: StoreKind
  /** The store's directory; empty for one under the data root. */
  readonly path: string
  readonly parameters: StoreParameters
}

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

/** Where a store comes from that `spec` describes, which is loaded to be opened. */
export function storeSource(
  spec: VolumeStoreSpec,
  { dataRoot, log }: { readonly dataRoot: string; readonly log: Log },
): VolumeStoreSource {
  const { name, kind, parameters } = spec
  const directory = storeDirectory(spec, dataRoot)
  return {
    name,
    kind,
    async open({ isKnown }) {
      const opening = { name, directory, isKnown, log }
      if (await mayHang(directory)) {
        const { StoreProcess } = await import('./store-process.ts')
        return StoreProcess.open({ ...opening, kind, parameters })
      }
      const { FolderStore } = await import('./folder-store.ts')
      const keep = keepingOf(kind, parameters)
      return FolderStore.open({ ...opening, keep })
    },
  }
}

/** Where the store keeps its volumes. */
export function storeDirectory(
  { name, path }: VolumeStoreSpec,
  dataRoot: string,
): string {
  return path === '' ? join(dataRoot, 'volumes', name) : path
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
  const { name, kind, path = '', query = '' } = SPEC.exec(text)?.groups ?? {}
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
      `its kind is "${kind}", and the kinds are ${STORE_KINDS.join(', ')}`,
    )
  }
  if (path !== '' && !path.startsWith('/')) {
    throw refusal(text, 'its path must be absolute, or empty')
  }
  try {
    return { name, kind, path, parameters: readStoreParameters(kind, query) }
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error
    throw refusal(text, error.message)
  }
}

function refusal(text: string, reason: string): InvalidArgumentError {
  return new InvalidArgumentError(`Volume store "${text}": ${reason}`)
}
