import { InvalidArgumentError } from '../../base/errors.ts'
import { PAX_XATTR_PREFIX } from './header-layout.ts'
import { readPaxNumber, readPaxTime } from './header-numbers.ts'
import { paxRecords } from './pax-records.ts'
import { type SparseRecords, takeSparseRecord } from './sparse-records.ts'

/** What the headers ahead of an entry say about it; they win over its own. */
export interface ExtendedHeader {
  name?: Buffer
  linkName?: Buffer
  uid?: number
  gid?: number
  size?: number
  mtime?: bigint
  xattrs?: Map<string, Buffer>
  sparse?: SparseRecords
}

/**
 * Takes in the body of a PAX header. Of a record that comes twice the last
 * counts; one without a value takes an earlier one back.
 *
 * @throws InvalidArgumentError when a record is malformed.
 */
export function takePaxRecords(extended: ExtendedHeader, body: Buffer): void {
  for (const [keyword, value] of paxRecords(body)) {
    if (keyword.startsWith('GNU.sparse.')) {
      takeSparseRecord((extended.sparse ??= {}), keyword, value)
    } else if (keyword.startsWith(PAX_XATTR_PREFIX)) {
      const name = keyword.slice(PAX_XATTR_PREFIX.length)
      ;(extended.xattrs ??= new Map()).set(name, value)
    } else {
      takeRecord(extended, keyword, value)
    }
  }
}

/** The text of a GNU long name, which ends at its first NUL. */
export function longName(body: Buffer): Buffer {
  const nul = body.indexOf(0)
  return Buffer.from(nul < 0 ? body : body.subarray(0, nul))
}

function takeRecord(
  extended: ExtendedHeader,
  keyword: string,
  value: Buffer,
): void {
  if (value.length === 0) {
    forget(extended, keyword)
    return
  }
  switch (keyword) {
    case 'path':
      extended.name = pathOf(value)
      break
    case 'linkpath':
      extended.linkName = pathOf(value)
      break
    case 'uid':
    case 'gid':
    case 'size':
      extended[keyword] = readPaxNumber(value.toString('latin1'))
      break
    case 'mtime':
      extended.mtime = readPaxTime(value.toString('latin1'))
      break
    default:
    // The names of owners, other times and comments make no difference here.
  }
}

function forget(extended: ExtendedHeader, keyword: string): void {
  if (keyword === 'path') delete extended.name
  else if (keyword === 'linkpath') delete extended.linkName
  else if (keyword === 'uid' || keyword === 'gid') delete extended[keyword]
  else if (keyword === 'size' || keyword === 'mtime') delete extended[keyword]
}

/** @throws InvalidArgumentError for a NUL, at which the kernel would cut the path. */
function pathOf(value: Buffer): Buffer {
  if (value.includes(0)) {
    throw new InvalidArgumentError('Not a tar: a PAX path contains a NUL')
  }
  return value
}
