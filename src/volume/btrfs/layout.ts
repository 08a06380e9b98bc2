/**
 * A btrfs store on disk, beyond what all stores have in common (`folder-layout.ts`):
 *
 *     <store>/volumes/<name>/data/   the volume's files: a subvolume
 *
 * A capacity is a limit of the subvolume's quota group, which the filesystem keeps.
 */
export const FORMAT = { kind: 'btrfs', edition: 1 } as const
