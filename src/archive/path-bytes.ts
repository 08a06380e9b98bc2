/**
 * Paths inside an archive or a tree, while we work on them: strings whose
 * characters are bytes (`latin1`). Names of any bytes pass through unchanged, and
 * they can be split, compared and be keys like other strings.
 */
export type PathString = string

export function toPathString(path: Buffer): PathString {
  return path.toString('latin1')
}

const BEYOND_ASCII = /[\x80-\xff]/

/** `path` as Node's own fs takes it. */
export function toFsPath(path: PathString): string | Buffer {
  return BEYOND_ASCII.test(path) ? Buffer.from(path, 'latin1') : path
}

/** `path` for people. */
export function describePath(path: Buffer | PathString): string {
  const bytes = typeof path === 'string' ? Buffer.from(path, 'latin1') : path
  return JSON.stringify(bytes.toString())
}
