import type { FileHandle } from 'node:fs/promises'
import { openDirectory } from './btrfs.ts'
import { OWN_TREE, searchTree, type TreeItem, U64_MAX } from './btrfs-search.ts'

const INODE_ITEM = 1
const INODE_REF = 12
const INODE_EXTREF = 13

/** The number of a subvolume's root directory. */
const ROOT = 256n

const S_IFMT = 0o170_000
const S_IFDIR = 0o040_000

/** A file, directory or whatever of a subvolume, by its number. */
export interface SubvolumeInode {
  readonly inode: bigint
  readonly mode: number
  readonly bytes: number
  readonly links: number
  /** Directories that have a name for it: some of them, or none, for want of luck. */
  readonly parents: readonly bigint[]
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
  yield* youngInodes(handle, since)
}

/**
 * The directories of a subvolume, by number, that lead to something which was made,
 * changed, renamed or deleted after the generation `since`. In all others, and in
 * whatever lies below them, nothing has happened. It is exact as of the last commit.
 */
export async function directoriesTouchedSince(
  path: string,
  since: bigint,
): Promise<ReadonlySet<bigint>> {
  await using handle = await openDirectory(path)
  const touched = new Set([ROOT])
  const queue: bigint[] = []
  const touch = (directory: bigint): void => {
    if (touched.has(directory)) return
    touched.add(directory)
    queue.push(directory)
  }
  for await (const found of youngInodes(handle, since)) {
    if ((found.mode & S_IFMT) === S_IFDIR) touch(found.inode)
    const isSure = found.links === 1 && found.parents.length === 1
    if (isSure) found.parents.forEach(touch)
    else queue.push(found.inode)
  }
  for (let inode = queue.pop(); inode !== undefined; inode = queue.pop()) {
    for await (const parent of parentsOf(handle, inode)) touch(parent)
  }
  return touched
}

/**
 * Looks at the leaves that were written since. What follows an inode in the order of
 * keys, and most often in its leaf, are its names.
 */
async function* youngInodes(
  handle: FileHandle,
  since: bigint,
): AsyncGenerator<SubvolumeInode> {
  let found: SubvolumeInode | undefined
  let parents: bigint[] = []
  for await (const item of searchTree(handle, {
    tree: OWN_TREE,
    from: { objectId: ROOT, type: INODE_ITEM, offset: 0n },
    to: { objectId: U64_MAX, type: INODE_ITEM, offset: U64_MAX },
    since: since + 1n,
  })) {
    if (found?.inode === item.objectId) {
      if (isReference(item)) parents.push(parentIn(item))
      continue
    }
    if (found !== undefined) yield found
    parents = []
    found = readInode(item, since, parents)
  }
  if (found !== undefined) yield found
}

/**
 * struct btrfs_inode_item: u64 generation, u64 generation of the last change, u64
 * size, u64 bytes, u64 block group, u32 links, u32 uid, u32 gid, u32 mode, …
 */
function readInode(
  { objectId, type, data }: TreeItem,
  since: bigint,
  parents: readonly bigint[],
): SubvolumeInode | undefined {
  if (type !== INODE_ITEM || data.readBigUInt64LE(8) <= since) return undefined
  return {
    inode: objectId,
    mode: data.readUInt32LE(52),
    bytes: Number(data.readBigUInt64LE(24)),
    links: data.readUInt32LE(40),
    parents,
  }
}

/** All directories that have a name for `inode`. */
async function* parentsOf(
  handle: FileHandle,
  inode: bigint,
): AsyncGenerator<bigint> {
  for await (const item of searchTree(handle, {
    tree: OWN_TREE,
    from: { objectId: inode, type: INODE_REF, offset: 0n },
    to: { objectId: inode, type: INODE_EXTREF, offset: U64_MAX },
  })) {
    if (isReference(item)) yield parentIn(item)
  }
}

function isReference({ type }: TreeItem): boolean {
  return type === INODE_REF || type === INODE_EXTREF
}

/** A reference's key ends in the parent; one that found no room there has it inside. */
function parentIn({ type, offset, data }: TreeItem): bigint {
  return type === INODE_REF ? offset : data.readBigUInt64LE(0)
}
