import type { Socket } from 'node:net'

/** The descriptor of `socket` while it is open. */
export function descriptorOf(socket: Socket): number | undefined {
  // Node keeps it to itself, in the handle beneath the socket.
  const handle: unknown = Reflect.get(socket, '_handle')
  if (typeof handle !== 'object' || handle === null) return undefined
  const descriptor: unknown = Reflect.get(handle, 'fd')
  return typeof descriptor === 'number' && descriptor >= 0
    ? descriptor
    : undefined
}
