import type { Socket } from 'node:net'
import { declare } from './libc.ts'
import { descriptorOf } from './socket-descriptor.ts'

const SOL_SOCKET = 1
const SO_PEERCRED = 17
const UCRED_BYTES = 12

const getsockopt = declare('getsockopt', [
  'int',
  'int',
  'int',
  'void *',
  'void *',
])

/** Who is at the other end of a unix socket, as it was when it connected. */
export interface PeerCredentials {
  readonly pid: number
  readonly uid: number
  readonly gid: number
}

/** They never change, and dockerd makes thousands of calls on one connection. */
const known = new WeakMap<Socket, PeerCredentials>()

/** Who is at the other end of `socket`; nobody known for one that is closed unasked. */
export function peerCredentials(socket: Socket): PeerCredentials | undefined {
  const credentials = known.get(socket) ?? ask(socket)
  if (credentials !== undefined) known.set(socket, credentials)
  return credentials
}

function ask(socket: Socket): PeerCredentials | undefined {
  const descriptor = descriptorOf(socket)
  if (descriptor === undefined) return undefined
  const ucred = Buffer.alloc(UCRED_BYTES)
  const length = Buffer.alloc(4)
  length.writeInt32LE(UCRED_BYTES)
  const failed = getsockopt.attempt(
    descriptor,
    SOL_SOCKET,
    SO_PEERCRED,
    ucred,
    length,
  )
  if (failed < 0) return undefined
  return {
    pid: ucred.readInt32LE(0),
    uid: ucred.readInt32LE(4),
    gid: ucred.readInt32LE(8),
  }
}
