/**
 * The vfs driver on disk, in the directory that each layer has:
 *
 *     <home>/layers/<id>/tree/    the layer's whole tree, parents and all
 */
export const TREE = 'tree'
