/**
 * A tmpfs store, beyond what all stores have in common (`folder-layout.ts`):
 *
 *     <store>/volumes/<name>/data/   mountpoint of the volume's files, in memory
 *
 * It is mounted from the first time that somebody holds the volume until the volume
 * is removed. After a reboot the volume is there, and empty.
 */
export const FORMAT = { kind: 'tmpfs', edition: 1 } as const
