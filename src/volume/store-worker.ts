import { removeTree } from '../archive/remove-tree.ts'
import { type TreeUsage, usageOf } from '../archive/tree-usage.ts'
import { serveCalls } from '../base/thread.ts'
import {
  namesOfVolumes,
  type ScannedVolume,
  scanVolumes,
} from './volume-scan.ts'

/** What the threads of a store do with all that is in a place at once. */
export type StoreCalls = {
  usage(root: string): TreeUsage
  remove(root: string): void
  names(volumes: string): readonly string[]
  scan(volumes: string, names: readonly string[]): readonly ScannedVolume[]
}

serveCalls({
  usage: usageOf,
  remove: removeTree,
  names: namesOfVolumes,
  scan: scanVolumes,
} satisfies StoreCalls)
