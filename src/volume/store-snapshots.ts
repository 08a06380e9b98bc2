import type { CopyOptions } from './copy-options.ts'
import type { Volume } from './volume.ts'

/**
 * The snapshots of a store's volumes: what a volume held at one moment, kept under
 * a name for as long as the volume is, or until it is deleted.
 *
 * A snapshot belongs to its volume. It is listed with it (`Volume.snapshots`), is
 * removed and brought back with it, and keeps its name when the volume is renamed.
 * It is not a volume: nobody mounts it, and nothing ever writes to it. Whoever
 * wants to write begins a volume as its clone, and the two are independent from
 * then on: deleting one never harms the other.
 *
 * Like volumes, snapshots are whole or absent. One that was acknowledged is there
 * after any crash, and of one that was not, nothing is left.
 *
 * All calls answer the volume as it is afterwards.
 */
export interface StoreSnapshots {
  /**
   * Keeps what `volume` holds now under the name `snapshot`.
   *
   * Where the store's `live` says so, the volume may be in use: what is kept is
   * then of one moment, as a power cut would leave it, and a database recovers from
   * it as from that. Elsewhere the caller sees to it that nobody has it mounted.
   *
   * @throws VolumeNotFoundError
   * @throws SnapshotExistsError
   */
  create(
    volume: string,
    snapshot: string,
    options?: CopyOptions,
  ): Promise<Volume>

  /**
   * Deletes a snapshot. It is gone at once; its room on disk may take a while.
   *
   * @throws SnapshotNotFoundError
   */
  delete(volume: string, snapshot: string): Promise<Volume>

  /**
   * Makes `volume` hold what it held at `snapshot`, and keeps what it holds now as
   * the snapshot `saved` first, so that nothing is lost by it. The snapshot stays.
   * Nobody has the volume mounted.
   *
   * After a crash the volume holds the one or the other, never a mixture.
   *
   * @throws SnapshotNotFoundError
   * @throws InvalidArgumentError when the volume is smaller now than it was then.
   */
  rollback(volume: string, snapshot: string, saved: string): Promise<Volume>

  /**
   * Shows the files of a snapshot at an absolute path, read-only, and returns the
   * path: to look at them, or to export them while the volume goes on changing.
   *
   * @throws SnapshotNotFoundError
   */
  show(volume: string, snapshot: string): Promise<string>

  /** Undoes what `show` did, however often. */
  hide(volume: string, snapshot: string): Promise<void>
}
