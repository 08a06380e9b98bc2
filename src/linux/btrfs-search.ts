import { ioctl, requestCode } from './ioctl.ts'

const TREE_SEARCH_V2 = requestCode('both', 0x94, 17, 112)
const HEAD = 112
const ITEM_HEAD = 32
const ROOM = 64 * 1024

export const U64_MAX = 2n ** 64n - 1n

/** The tree of the subvolume that the searched directory lies in. */
export const OWN_TREE = 0n
/** The tree that knows all others. */
export const ROOT_TREE = 1n

/** A place in a tree. Trees are in the order of their keys, field by field. */
export interface TreeKey {
  readonly objectId: bigint
  readonly type: number
  readonly offset: bigint
}

export interface TreeItem extends TreeKey {
  /** What the item holds; valid until the next item is asked for. */
  readonly data: Buffer
}

export interface SearchRange {
  readonly tree: bigint
  readonly from: TreeKey
  readonly to: TreeKey
  /** Leaves that were last written before this generation are passed over. */
  readonly since?: bigint
}

/**
 * The items of a tree from one key to another, both included. Those that lie in
 * one leaf with an item that is younger than `since` come too.
 *
 * Synchronous, for a thread that has nothing else to do: there may be many.
 */
export function* searchTree(
  descriptor: number,
  range: SearchRange,
): Generator<TreeItem, void> {
  const search = new Search(range)
  while (search.goesOn()) {
    ioctl(descriptor, TREE_SEARCH_V2, search.arguments)
    yield* search.items()
  }
}

/** Like `searchTree`, but what it reads from disk is read on another thread. */
export async function* searchTreeLater(
  descriptor: number,
  range: SearchRange,
): AsyncGenerator<TreeItem, void> {
  const search = new Search(range)
  while (search.goesOn()) {
    await ioctl.later(descriptor, TREE_SEARCH_V2, search.arguments)
    yield* search.items()
  }
}

/** A search that is asked for in parts, as large as there is room for. */
class Search {
  readonly arguments = Buffer.allocUnsafe(HEAD + ROOM)
  readonly #range: SearchRange
  #next: TreeKey | undefined

  constructor(range: SearchRange) {
    this.#range = range
    this.#next = range.from
  }

  /** Whether there may be more, and then the arguments ask for that. */
  goesOn(): boolean {
    if (this.#next === undefined) return false
    const { tree, to, since = 0n } = this.#range
    writeKey(this.arguments, { tree, from: this.#next, to, since })
    return true
  }

  /** What was found. */
  *items(): Generator<TreeItem, void> {
    const count = this.arguments.readUInt32LE(64)
    let position = HEAD
    let last: TreeKey | undefined
    for (let index = 0; index < count; index++) {
      const item = readItem(this.arguments, position)
      position += ITEM_HEAD + item.data.length
      last = item
      yield item
    }
    this.#next = last && after(last)
  }
}

/**
 * struct btrfs_ioctl_search_args_v2: u64 tree; least and most u64 objectid; the
 * same of u64 offset and of u64 generation; the same of u32 type; u32 number of
 * items, in and out; 36 bytes unused; u64 room for items, which follow.
 */
function writeKey(
  search: Buffer,
  { tree, from, to, since }: Required<SearchRange>,
): void {
  const ids = [tree, from.objectId, to.objectId, from.offset, to.offset]
  const words = [...ids, since, U64_MAX]
  search.fill(0, 0, HEAD)
  words.forEach((word, index) => search.writeBigUInt64LE(word, index * 8))
  search.writeUInt32LE(from.type, 56)
  search.writeUInt32LE(to.type, 60)
  search.writeUInt32LE(0xffff_ffff, 64)
  search.writeBigUInt64LE(BigInt(ROOM), 104)
}

/** u64 generation of the leaf, u64 objectid, u64 offset, u32 type, u32 length. */
function readItem(search: Buffer, position: number): TreeItem {
  const start = position + ITEM_HEAD
  const length = search.readUInt32LE(position + 28)
  return {
    objectId: search.readBigUInt64LE(position + 8),
    offset: search.readBigUInt64LE(position + 16),
    type: search.readUInt32LE(position + 24),
    data: search.subarray(start, start + length),
  }
}

/** The next key there can be, if there can be one. */
function after({ objectId, type, offset }: TreeKey): TreeKey | undefined {
  if (offset < U64_MAX) return { objectId, type, offset: offset + 1n }
  if (type < 0xff) return { objectId, type: type + 1, offset: 0n }
  if (objectId < U64_MAX)
    return { objectId: objectId + 1n, type: 0, offset: 0n }
  return undefined
}
