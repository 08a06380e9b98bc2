import { openDirectory } from './btrfs.ts'
import { OWN_TREE, searchTree, U64_MAX } from './btrfs-search.ts'

const INODE_ITEM = 1
const FIRST_INODE = 256n

/** A file, directory or whatever of a subvolume, by its number. */
export interface SubvolumeInode {
  readonly inode: bigint
  readonly mode: number
  readonly bytes: number
}

/**
 * What was made or changed in the subvolume at `path` after the generation
 * `since`, without walking its tree. It is exact as of the last commit, so whoever
 * wants all of it syncs the filesystem first.
 */
export async function* inodesSince(
  path: string,
  since: bigint,
): AsyncGenerator<SubvolumeInode> {
  await using handle = await openDirectory(path)
  const range = {
    tree: OWN_TREE,
    from: { objectId: FIRST_INODE, type: INODE_ITEM, offset: 0n },
    to: { objectId: U64_MAX, type: INODE_ITEM, offset: U64_MAX },
    since: since + 1n,
  }
  for await (const { objectId, type, data } of searchTree(handle, range)) {
    // struct btrfs_inode_item: u64 generation, u64 generation of the last change,
    // u64 size, u64 bytes, u64, u32 links, u32 uid, u32 gid, u32 mode, …
    if (type !== INODE_ITEM || data.readBigUInt64LE(8) <= since) continue
    yield {
      inode: objectId,
      mode: data.readUInt32LE(52),
      bytes: Number(data.readBigUInt64LE(24)),
    }
  }
}
