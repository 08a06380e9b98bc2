import type { PeerCredentials } from '../linux/peer-credentials.ts'

/** Something that was changed, or that somebody wanted changed and was refused. */
export interface ChangeEvent {
  /** RFC 3339: when it had ended. */
  readonly time: string
  /** As the API or Docker calls it: `createVolume`, `VolumeDriver.Create`. */
  readonly operation: string
  /** The name of what it was done to. */
  readonly subject: string
  readonly result: 'done' | 'refused' | 'failed'
  /** Why not, for programs and for people. */
  readonly code?: string
  readonly message?: string
  /** The process at the other end of the socket, where there is one. */
  readonly caller?: PeerCredentials
  /** Who asked: an administrator, Docker, or the daemon by itself. */
  readonly front: 'admin' | 'docker' | 'daemon'
  readonly request?: string
  readonly milliseconds: number
}
