import { InvalidArgumentError, messageOf } from '../base/errors.ts'

/**
 * Which part of a tree goes into an archive, or of an archive into a tree, and
 * under which names.
 *
 * Paths are relative to the root of the tree: `mnt/data`, without a leading slash.
 * A path stands for itself and all below it; with a slash at its end, for what is
 * below it only, so that `''` is everything and `'/'` everything but the root
 * itself. Paths are compared by whole components: `mnt` says nothing of `mntfoo`.
 *
 * Of all paths that match an entry the longest decides, and on a tie it is
 * included. An entry that nothing matches is included as well, unless the
 * specification names inclusions and no exclusions: then only those.
 *
 * Names are filtered as they stand at the source; then `strip` is taken off their
 * front, if it is there, and `rebase` is put before what remains.
 */
export interface FilterSpec {
  readonly include?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
  readonly strip?: string | undefined
  readonly rebase?: string | undefined
}

/** One line of text that says the same, for headers and query strings. */
export function encodeFilterSpec(spec?: FilterSpec): string {
  if (spec === undefined) return toBase64(null)
  return toBase64({
    Inclusions: toSet(spec.include),
    Exclusions: toSet(spec.exclude),
    RebasePath: spec.rebase ?? '',
    StripPath: spec.strip ?? '',
  })
}

/**
 * The specification that {@link encodeFilterSpec} made `text` of. No text at all
 * is a specification that lets everything pass.
 *
 * @throws InvalidArgumentError for any other text.
 */
export function decodeFilterSpec(text = ''): FilterSpec {
  if (text === '') return {}
  const fields = fieldsOf(text)
  if (fields === null) return {}
  return {
    include: fromSet(fields, 'Inclusions'),
    exclude: fromSet(fields, 'Exclusions'),
    rebase: pathOf(fields, 'RebasePath'),
    strip: pathOf(fields, 'StripPath'),
  }
}

type Fields = Readonly<Record<string, unknown>>

/** Buffer's own decoder skips what is not base64, and would accept anything. */
const BASE64 =
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function toBase64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64')
}

function fieldsOf(text: string): Fields | null {
  if (!BASE64.test(text)) throw invalid('it is not base64')
  const value = parseJson(Buffer.from(text, 'base64').toString())
  if (value === null || isFields(value)) return value
  throw invalid('it is not a JSON object')
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw invalid(messageOf(error))
  }
}

function toSet(paths: readonly string[] = []): Record<string, object> {
  return Object.fromEntries(paths.toSorted().map((path) => [path, {}]))
}

function fromSet(fields: Fields, name: string): readonly string[] | undefined {
  const set = fields[name] ?? undefined
  if (set === undefined) return undefined
  if (isFields(set)) return Object.keys(set)
  throw invalid(`${name} must be a set of paths`)
}

function pathOf(fields: Fields, name: string): string | undefined {
  const path = fields[name] ?? ''
  if (typeof path !== 'string') throw invalid(`${name} must be a path`)
  return path === '' ? undefined : path
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(reason: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `Filter specification cannot be read: ${reason}`,
  )
}
