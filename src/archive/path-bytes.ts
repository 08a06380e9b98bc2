/**
 * A path while we work on it: a string whose characters are bytes (`latin1`).
 * Names of any bytes pass through unchanged, and it can be split, compared and be
 * a key like other strings. It is relative, without `.`, `..` and empty
 * components; `''` is the root itself.
 */
export type PathString = string

const BEYOND_ASCII = /[\x80-\xff]/

export function toPathString(path: Buffer): PathString {
  return path.toString('latin1')
}

/** `path` as Node's own fs takes it. */
export function toFsPath(path: PathString): string | Buffer {
  return BEYOND_ASCII.test(path) ? Buffer.from(path, 'latin1') : path
}

/** All but the last component. */
export function parentOf(path: PathString): PathString {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0))
}

/** The last component. */
export function nameOf(path: PathString): PathString {
  return path.slice(path.lastIndexOf('/') + 1)
}

export function joinPath(directory: PathString, name: PathString): PathString {
  return directory === '' ? name : `${directory}/${name}`
}

/** `path` for people. */
export function describePath(path: Buffer | PathString): string {
  const bytes = typeof path === 'string' ? Buffer.from(path, 'latin1') : path
  return JSON.stringify(bytes.toString())
}
