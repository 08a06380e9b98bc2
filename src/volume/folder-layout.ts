/**
 * What stores on disk have in common:
 *
 *     <store>/format                      the kind of store and its edition: `local 1`
 *     <store>/lock                        held by the one process that uses it
 *     <store>/volumes/<name>/data/        the volume's files
 *     <store>/volumes/<name>/volume.json  its record
 *     <store>/volumes/<name>/volume.json.copy
 *                                         the same again, for when that is damaged
 *     <store>/volumes/<name>/volume.json.damaged-<time>
 *                                         what it was before it was written anew
 *     <store>/volumes/<name>/settled      there once its root has its attributes
 *     <store>/volumes/<name>/view/        mountpoint of a read-only volume
 *     <store>/volumes/<name>/snapshots/<snapshot>/
 *                                         what it held when the directory was
 *                                         last modified, as its keeping copied it
 *     <store>/volumes/<name>/...          what the kind of store adds
 *     <store>/trash/<id>/                 a removed volume, all of the above; the id
 *                                         says when it was removed
 *     <store>/trash/<id>/holders.json     there if somebody held it then, with the id
 *     <store>/new-<random>/               a volume or a snapshot in the making
 *     <store>/rm-<random>/                one on its way out; `open` sweeps both
 *     <store>/resizing/<name>             there while the volume may have another
 *                                         capacity than its record says
 *
 * A volume comes and goes by one rename into and out of `volumes`, so whatever
 * stands there is whole, and so is what stands in `trash`. Its files have a directory to themselves: an empty volume
 * must be empty.
 */
export const FORMAT_FILE = 'format'
export const LOCK = 'lock'
export const VOLUMES = 'volumes'
export const TRASH = 'trash'
export const RESIZING = 'resizing'
export const DATA = 'data'
export const RECORD = 'volume.json'
export const RECORD_COPY = 'volume.json.copy'
export const HOLDERS = 'holders.json'
export const SETTLED = 'settled'
export const VIEW = 'view'
export const SNAPSHOTS = 'snapshots'
export const DRAFT_PREFIX = 'new-'
export const REMOVED_PREFIX = 'rm-'

/**
 * Passable for all and readable for root. Where dockerd maps users, a container's
 * root that is nobody on the host walks down to its volume.
 */
export const PASSAGE_MODE = 0o711
