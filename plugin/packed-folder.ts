import { Readable } from 'node:stream'
import { pack } from 'tar-fs'

/** The tar of `folder`. Whoever made the folder, what is in the tar is root's. */
export function packedFolder(folder: string): Readable {
  const tar = pack(folder, {
    map: (entry) => Object.assign(entry, { uid: 0, gid: 0 }),
  })
  return Readable.from(tar, { objectMode: false })
}
