import { closeSync, constants, openSync } from 'node:fs'
import { OWN_TREE, searchTree, type TreeItem, U64_MAX } from './btrfs-search.ts'

const INODE_ITEM = 1
const INODE_REF = 12
const INODE_EXTREF = 13

/** The number of a subvolume's root directory. */
const ROOT = 256n

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, S_IFMT, S_IFDIR } = constants
const DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW

/** All of an inode's item but the generation of its last change, and its atime. */
const KEPT_BY_READING = [
  [0, 8],
  [16, 112],
  [124, 160],
] as const

/** A file, directory or whatever of a subvolume, by its number. */
export interface SubvolumeInode {
  readonly inode: bigint
  readonly mode: number
  readonly bytes: number
  readonly links: number
  /** Directories that have a name for it: some of them, or none, for want of luck. */
  readonly parents: readonly bigint[]
  /** All that the filesystem notes of it, see {@link readInode}. */
  readonly item: Buffer
}

/**
 * What was made or changed in the subvolume at `path` after the generation
 * `since`, without walking its tree. It is exact as of the last commit, so whoever
 * wants all of it syncs the filesystem first.
 *
 * Synchronous, for a thread that has nothing else to do.
 */
export function* inodesSince(
  path: string,
  since: bigint,
): Generator<SubvolumeInode, void> {
  const descriptor = openSync(path, DIRECTORY)
  try {
    yield* youngInodes(descriptor, since)
  } finally {
    closeSync(descriptor)
  }
}

/** A snapshot, what it was made of, and the generation in which that was. */
export interface Descent {
  readonly tree: string
  readonly parent: string
  readonly since: bigint
}

/**
 * The directories of a snapshot, by number, that lead to something which was made,
 * changed, renamed or deleted since. In all others, and in whatever lies below them,
 * nothing has happened, but that somebody may have read them. It is exact as of the
 * last commit.
 *
 * Synchronous, for a thread that has nothing else to do.
 */
export function directoriesTouchedSince({
  tree,
  parent,
  since,
}: Descent): ReadonlySet<bigint> {
  const descriptor = openSync(tree, DIRECTORY)
  try {
    const origin = openSync(parent, DIRECTORY)
    try {
      return touchedDirectories(descriptor, origin, since)
    } finally {
      closeSync(origin)
    }
  } finally {
    closeSync(descriptor)
  }
}

function touchedDirectories(
  descriptor: number,
  origin: number,
  since: bigint,
): ReadonlySet<bigint> {
  const touched = new Set([ROOT])
  const queue: bigint[] = []
  const touch = (directory: bigint): void => {
    if (touched.has(directory)) return
    touched.add(directory)
    queue.push(directory)
  }
  for (const found of youngInodes(descriptor, since)) {
    if ((found.mode & S_IFMT) === S_IFDIR) {
      if (wasOnlyRead(found, origin)) continue
      touch(found.inode)
    }
    const isSure = found.links === 1 && found.parents.length === 1
    if (isSure) found.parents.forEach(touch)
    else queue.push(found.inode)
  }
  for (let inode = queue.pop(); inode !== undefined; inode = queue.pop()) {
    for (const directory of parentsOf(descriptor, inode)) touch(directory)
  }
  return touched
}

/**
 * Whether a directory is what it was in `origin`, but for the time of its last
 * reading. Whatever else happens to one, its sequence number tells.
 */
function wasOnlyRead({ inode, item }: SubvolumeInode, origin: number): boolean {
  const key = { objectId: inode, type: INODE_ITEM, offset: 0n }
  const range = { tree: OWN_TREE, from: key, to: key }
  for (const { data } of searchTree(origin, range)) {
    return KEPT_BY_READING.every(
      ([start, end]) => data.compare(item, start, end, start, end) === 0,
    )
  }
  return false
}

/**
 * Looks at the leaves that were written since. What follows an inode in the order of
 * keys, and most often in its leaf, are its names.
 */
function* youngInodes(
  descriptor: number,
  since: bigint,
): Generator<SubvolumeInode, void> {
  let found: SubvolumeInode | undefined
  let parents: bigint[] = []
  for (const item of searchTree(descriptor, {
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
 * size, u64 bytes, u64 block group, u32 links, u32 uid, u32 gid, u32 mode, …; at 72
 * u64 sequence number; at 112 the times of reading, changing, writing and birth.
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
    item: Buffer.from(data),
  }
}

/** All directories that have a name for `inode`. */
function* parentsOf(
  descriptor: number,
  inode: bigint,
): Generator<bigint, void> {
  for (const item of searchTree(descriptor, {
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
