import { BtrfsLayers } from './btrfs/btrfs-layers.ts'
import type { Candidate } from './driver-choice.ts'
import { OverlayLayers } from './overlay/overlay-layers.ts'
import type { StorageOptions } from './storage-options.ts'
import { VfsLayers } from './vfs/vfs-layers.ts'

/** Every way to keep layers, in the order in which `auto` tries them. */
export function drivers(options: StorageOptions): readonly Candidate[] {
  return [
    {
      name: 'btrfs',
      bestOn: ['btrfs'],
      open: (home) => BtrfsLayers.open(home, options),
    },
    { name: 'overlay', open: (home) => OverlayLayers.open(home) },
    { name: 'vfs', open: (home) => VfsLayers.open(home) },
  ]
}
