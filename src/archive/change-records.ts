import type { Change, ChangeKind } from './changes.ts'
import type { TreeWalk } from './tree-walk.ts'

/** One byte for the kind, the path from the root, and a NUL, which no path has. */
const LETTERS: Readonly<Record<ChangeKind, string>> = {
  modified: 'C',
  added: 'A',
  deleted: 'D',
}

const KINDS = new Map<number, ChangeKind>([
  [0x43, 'modified'],
  [0x41, 'added'],
  [0x44, 'deleted'],
])

/** Writes the changes of a walk as records, into whatever room there is. */
export class ChangeRecords {
  readonly #walk: TreeWalk
  #rest: Buffer = Buffer.alloc(0)

  constructor(walk: TreeWalk) {
    this.#walk = walk
  }

  /** Fills `target`, and says how far: less than all of it at the end only. */
  fill(target: Uint8Array): number {
    let used = 0
    while (used < target.length) {
      if (this.#rest.length === 0) {
        const change = this.#walk.next()
        if (change === undefined) break
        const record = `${LETTERS[change.kind]}/${change.path}\0`
        this.#rest = Buffer.from(record, 'latin1')
      }
      const piece = this.#rest.subarray(0, target.length - used)
      target.set(piece, used)
      used += piece.length
      this.#rest = this.#rest.subarray(piece.length)
    }
    return used
  }
}

/** Reads the records again, which come in pieces cut anywhere. */
export class ChangeReader {
  #rest: Buffer = Buffer.alloc(0)

  /** The changes that end in `piece`. Keeps nothing of its memory. */
  read(piece: Uint8Array): Change[] {
    const bytes = Buffer.concat([this.#rest, piece])
    const changes: Change[] = []
    let start = 0
    for (;;) {
      const end = bytes.indexOf(0, start)
      if (end === -1) break
      const kind = KINDS.get(bytes[start] ?? 0)
      if (kind === undefined) throw new Error('A change record has no kind')
      changes.push({ kind, path: bytes.subarray(start + 1, end) })
      start = end + 1
    }
    this.#rest = bytes.subarray(start)
    return changes
  }
}
