import { constants } from 'node:os'
import { cPath, declare, type PathBytes, systemError } from './libc.ts'

const { ENODATA, ENOTSUP, ERANGE } = constants.errno

const NOTHING = Buffer.alloc(0)

const READ = ['const char *', 'const char *', 'void *', 'size_t']
const lgetxattr = declare('lgetxattr', READ, 'long')
const fgetxattr = declare('fgetxattr', ['int', ...READ.slice(1)], 'long')
const LIST = ['const char *', 'void *', 'size_t']
const llistxattr = declare('llistxattr', LIST, 'long')
const flistxattr = declare('flistxattr', ['int', ...LIST.slice(1)], 'long')
const lsetxattr = declare('lsetxattr', [
  'const char *',
  'const char *',
  'const void *',
  'size_t',
  'int',
])
const lremovexattr = declare('lremovexattr', ['const char *', 'const char *'])

/** A file by its path, which is never followed, or by its descriptor. */
export type FileReference = PathBytes | number

/**
 * The names of a file's extended attributes, in byte order. None where the
 * filesystem has no such thing.
 */
export function listXattrs(file: FileReference): Buffer[] {
  const reference = typeof file === 'number' ? file : cPath(file)
  const list = typeof file === 'number' ? flistxattr : llistxattr
  const names = sized('listxattr', file, (buffer) =>
    list.attempt(reference, buffer, buffer.length),
  )
  return names === undefined
    ? []
    : split(names).toSorted((a, b) => a.compare(b))
}

/** The value of an attribute, or `undefined` where there is none. */
export function getXattr(
  file: FileReference,
  name: PathBytes,
): Buffer | undefined {
  const reference = typeof file === 'number' ? file : cPath(file)
  const get = typeof file === 'number' ? fgetxattr : lgetxattr
  const key = cPath(name)
  return sized('getxattr', file, (buffer) =>
    get.attempt(reference, key, buffer, buffer.length),
  )
}

/** Sets an attribute of `path` itself, be it a symbolic link. */
export function setXattr(
  path: PathBytes,
  name: PathBytes,
  value: Uint8Array,
): void {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length)
  const answer = lsetxattr.attempt(
    cPath(path),
    cPath(name),
    bytes,
    bytes.length,
    0,
  )
  if (answer < 0) throw systemError(-answer, 'lsetxattr', [String(path)])
}

/** Removes an attribute of `path` itself. One that is not there is no error. */
export function removeXattr(path: PathBytes, name: PathBytes): void {
  const answer = lremovexattr.attempt(cPath(path), cPath(name))
  if (answer < 0 && answer !== -ENODATA) {
    throw systemError(-answer, 'lremovexattr', [String(path)])
  }
}

/** Most values are small, and then one call is enough. */
const scratch = Buffer.alloc(1024)

/** What `read` fills a buffer with, once it is big enough; its size may race. */
function sized(
  call: string,
  file: FileReference,
  read: (buffer: Buffer) => number,
): Buffer | undefined {
  let buffer = scratch
  for (;;) {
    const size = read(buffer)
    if (size >= 0) return Buffer.from(buffer.subarray(0, size))
    if (size === -ENODATA || size === -ENOTSUP) return undefined
    if (size !== -ERANGE) throw systemError(-size, call, [String(file)])
    buffer = Buffer.alloc(Math.max(read(NOTHING), 0) + scratch.length)
  }
}

function split(names: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (let start = 0; start < names.length;) {
    const end = names.indexOf(0, start)
    found.push(names.subarray(start, end))
    start = end + 1
  }
  return found
}
