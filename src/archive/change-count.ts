import { isDirectory } from '../linux/file-status.ts'
import { openWalk, type TreeSource } from './tree-source.ts'
import type { WalkedChange } from './tree-walk.ts'

/** What `sizeOfChanges` answers, found here and now. */
export function bytesOfChanges(source: TreeSource): number {
  using opened = openWalk(source)
  const counted = new Set<string>()
  let total = 0
  for (;;) {
    const change = opened.walk.next()
    if (change === undefined) return total
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
