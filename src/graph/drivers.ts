import type { Candidate } from './driver-choice.ts'
import type { StorageOptions } from './storage-options.ts'

/**
 * Every way to keep layers, in the order in which `auto` tries them. Only those that
 * are opened are loaded.
 */
export function drivers(options: StorageOptions): readonly Candidate[] {
  return [
    {
      name: 'btrfs',
      bestOn: ['btrfs'],
      async open(home) {
        const { BtrfsLayers } = await import('./btrfs/btrfs-layers.ts')
        return BtrfsLayers.open(home, options)
      },
    },
    {
      name: 'overlay',
      async open(home) {
        const { OverlayLayers } = await import('./overlay/overlay-layers.ts')
        return OverlayLayers.open(home)
      },
    },
    {
      name: 'vfs',
      async open(home) {
        const { VfsLayers } = await import('./vfs/vfs-layers.ts')
        return VfsLayers.open(home)
      },
    },
  ]
}
