import { once } from 'node:events'
import { closeSync, fchmodSync } from 'node:fs'
import * as net from 'node:net'
import { isErrno } from '../base/errors.ts'
import { declare } from './libc.ts'

const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const POLLIN = 1

/** How many may wait to be taken, as in the socket unit. */
export const BACKLOG = 1024

/** The most bytes of a path that a socket's address has room for, less its NUL. */
export const MAX_SOCKET_PATH = 107

const socket = declare('socket', ['int', 'int', 'int'])
const bind = declare('bind', ['int', 'const void *', 'unsigned int'])
const listen = declare('listen', ['int', 'int'])
const poll = declare('poll', ['void *', 'unsigned long', 'int'])
const sendto = declare(
  'sendto',
  ['int', 'const void *', 'size_t', 'int', 'const void *', 'unsigned int'],
  'long',
)

/**
 * A stream socket that listens at `path`, for Node to take calls from by its
 * descriptor. Who calls before that waits.
 *
 * Node would make the file itself, but with what the umask leaves of 0777 and a
 * chmod later, and it would delete the path when it closes the socket, no matter
 * whose socket is there by then.
 */
export function listenOn(path: string, mode: number): number {
  const descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)
  try {
    // The file that bind makes takes its mode from the socket.
    fchmodSync(descriptor, mode)
    const address = addressOf(path)
    bind(descriptor, address, address.length)
    listen(descriptor, BACKLOG)
    return descriptor
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

/** Whether somebody listens at `path`. @throws what else is wrong with the path. */
export async function isAnswered(path: string): Promise<boolean> {
  const caller = net.connect(path)
  try {
    await once(caller, 'connect')
    return true
  } catch (error) {
    if (isErrno(error, 'ECONNREFUSED', 'ENOENT')) return false
    // Its queue is full, so there is somebody whose queue it is.
    if (isErrno(error, 'EAGAIN')) return true
    throw error
  } finally {
    caller.destroy()
  }
}

/** Whether somebody who connected waits to be accepted. */
export function hasCallers(descriptor: number): boolean {
  // A struct pollfd: the descriptor, what is asked, what is so.
  const request = Buffer.alloc(8)
  request.writeInt32LE(descriptor, 0)
  request.writeInt16LE(POLLIN, 4)
  poll(request, 1, 0)
  return (request.readInt16LE(6) & POLLIN) !== 0
}

/** Sends one datagram to the socket at `path`; `@` begins an abstract name. */
export function sendDatagram(path: string, message: string): void {
  const descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)
  try {
    const bytes = Buffer.from(message)
    const address = addressOf(path)
    sendto(descriptor, bytes, bytes.length, 0, address, address.length)
  } finally {
    closeSync(descriptor)
  }
}

/** A `struct sockaddr_un`. A path ends in a NUL; an abstract name begins with one. */
function addressOf(path: string): Buffer {
  const family = Buffer.alloc(2)
  family.writeUInt16LE(AF_UNIX)
  const name = path.startsWith('@') ? `\0${path.slice(1)}` : `${path}\0`
  return Buffer.concat([family, Buffer.from(name)])
}
