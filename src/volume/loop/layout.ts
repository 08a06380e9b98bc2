/**
 * A loop store on disk, beyond what all stores have in common (`folder-layout.ts`):
 *
 *     <store>/volumes/<name>/image.<filesystem>   a whole filesystem: ext4 or xfs
 *     <store>/volumes/<name>/data/                where it is mounted while it is held
 *     <store>/volumes/<name>/grow                 there while the image is longer than
 *                                                 its filesystem, or may be
 *
 * The image's name says what is in it, so a store whose settings change keeps its
 * volumes. Its loop device lives exactly as long as the mount does.
 */
export const IMAGE_PREFIX = 'image.'
export const GROW = 'grow'

export const FORMAT = { kind: 'loop', edition: 1 } as const
