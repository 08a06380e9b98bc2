import { setImmediate } from 'node:timers/promises'
import { isDirectory } from '../linux/file-status.ts'
import { openWalk, type TreeSource } from './tree-source.ts'
import type { WalkedChange } from './tree-walk.ts'

/** How many changes are counted before others get their turn. */
const TURN = 512

/**
 * The bytes of all files that were added or modified, as Docker counts them: each
 * file once, however many of its names changed, links by the length of their
 * target, and directories not at all.
 */
export async function sizeOfChanges(source: TreeSource): Promise<number> {
  using opened = openWalk(source)
  const counted = new Set<string>()
  let total = 0
  for (let count = 1; ; count += 1) {
    const change = opened.walk.next()
    if (change === undefined) return total
    if (count % TURN === 0) await setImmediate()
    if (isFirstSeen(change, counted)) total += change.status?.size ?? 0
  }
}

function isFirstSeen({ status }: WalkedChange, counted: Set<string>): boolean {
  if (status === undefined || isDirectory(status)) return false
  if (status.links === 1) return true
  const key = `${status.onMajor}:${status.onMinor}:${status.inode}`
  if (counted.has(key)) return false
  counted.add(key)
  return true
}
