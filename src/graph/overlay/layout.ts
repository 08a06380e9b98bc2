/**
 * The overlay driver on disk, beside what each layer's directory has anyway:
 *
 *     <home>/layers/<id>/diff     upper: the layer's own changes
 *     <home>/layers/<id>/work     overlay's scratch space; not on base layers
 *     <home>/l/<link>             symlink to ../layers/<id>/diff; on parents only
 *
 * The kernel takes one page of mount options, so lowers are given by their links,
 * counted from Home: 128 of them fit where 128 full paths would not. Few layers
 * ever become a lower, and those get their link when they do.
 */
export const UPPER = 'diff'
export const WORK = 'work'
export const LINKS = 'l'

/** As many as Docker's overlay2 takes, so that images fit both. */
export const MAX_LOWERS = 128
