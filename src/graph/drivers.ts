import { BtrfsLayers } from './btrfs/btrfs-layers.ts'
import type { Candidate } from './driver-choice.ts'
import { VfsLayers } from './vfs/vfs-layers.ts'

/** Every way to keep layers, in the order in which `auto` tries them. */
export const DRIVERS: readonly Candidate[] = [
  { name: 'btrfs', bestOn: ['btrfs'], open: (home) => BtrfsLayers.open(home) },
  { name: 'vfs', open: (home) => VfsLayers.open(home) },
]
