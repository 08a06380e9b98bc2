/**
 * A local store on disk is what all stores have in common, see `folder-layout.ts`:
 *
 *     <store>/volumes/<name>/data/   the volume's files: what containers see
 */
export const FORMAT = { kind: 'local', edition: 1 } as const
