/**
 * The btrfs driver on disk, beside what `Home` and `LayerFolders` keep:
 *
 *     <home>/layers/<id>/tree/   a subvolume: all that the layer shows
 *
 * A layer begins as a snapshot of its parent's subvolume, and depends on nothing
 * from then on: the parent may go, and its blocks stay as long as a child has them.
 * Sealing makes the subvolume read-only. A container's size is a quota group's
 * limit. The filesystem keeps both of them, so there is no file for either.
 */
export const TREE = 'tree'
