/**
 * How a layer tar tells what is gone. An entry `dir/.wh.name` says that `name` of
 * the layers below is deleted; `dir/.wh..wh..opq` that all of `dir` below is. Names
 * at the root that begin with `.wh..wh.` were aufs's own housekeeping.
 *
 * Overlay keeps the same in the upper directory: a character device 0:0 called
 * `name`, and the xattr `trusted.overlay.opaque` with the value `y` on `dir`.
 */
export const WHITEOUT_PREFIX = '.wh.'
export const OPAQUE_MARKER = '.wh..wh..opq'
export const AUFS_PREFIX = '.wh..wh.'
/** Where aufs kept the files that have several names. */
export const AUFS_LINKS = '.wh..wh.plnk'

export const OVERLAY_OPAQUE = 'trusted.overlay.opaque'
/** What it is called where overlay is mounted inside a user namespace. */
export const OVERLAY_USER_OPAQUE = 'user.overlay.opaque'
/** What overlay keeps for itself; no archive may carry it in or out. */
export const OVERLAY_PREFIX = 'trusted.overlay.'
