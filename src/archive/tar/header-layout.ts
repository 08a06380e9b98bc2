/**
 * A tar is a row of blocks: for each entry a header, then its data, padded to
 * whole blocks; at the end two blocks of zeros.
 *
 *     0  name      100 bytes         257  magic   "ustar\0" "00", GNU "ustar  \0"
 *   100  mode        8 octal         265  uname    32
 *   108  uid         8 octal         297  gname    32
 *   116  gid         8 octal         329  devmajor  8 octal
 *   124  size       12 octal         337  devminor  8 octal
 *   136  mtime      12 octal         345  prefix  155, before the name and a "/"
 *   148  checksum    8 octal
 *   156  typeflag    1               GNU has other things where the prefix is:
 *   157  linkname  100               386  sparse map, 482 more follows, 483 size
 *
 * What does not fit is told by a PAX record (typeflag `x`, for the entry that
 * follows), by GNU's long names (`L`, `K`), or by GNU's binary numbers.
 */
export const BLOCK_SIZE = 512

/** A field of the header: where it begins and how long it is. */
export type Field = readonly [offset: number, length: number]

export const NAME: Field = [0, 100]
export const MODE: Field = [100, 8]
export const UID: Field = [108, 8]
export const GID: Field = [116, 8]
export const SIZE: Field = [124, 12]
export const MTIME: Field = [136, 12]
export const CHECKSUM: Field = [148, 8]
export const TYPEFLAG = 156
export const LINK_NAME: Field = [157, 100]
export const MAGIC: Field = [257, 8]
export const DEV_MAJOR: Field = [329, 8]
export const DEV_MINOR: Field = [337, 8]
export const PREFIX: Field = [345, 155]

/** POSIX's magic and version. */
export const USTAR_MAGIC = 'ustar\x0000'
/** GNU's, which has no prefix field. */
export const GNU_MAGIC = 'ustar  \x00'

/** Typeflags as characters. */
export const Flag = {
  file: '0',
  oldFile: '\0',
  hardlink: '1',
  symlink: '2',
  characterDevice: '3',
  blockDevice: '4',
  directory: '5',
  fifo: '6',
  pax: 'x',
  globalPax: 'g',
  gnuLongName: 'L',
  gnuLongLink: 'K',
  gnuSparse: 'S',
} as const

/** Before an xattr's name in PAX; the record's value is the xattr's, as bytes. */
export const PAX_XATTR_PREFIX = 'SCHILY.xattr.'

/** How many bytes follow `size` bytes of data until the next header. */
export function paddingOf(size: number): number {
  return (BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE
}
