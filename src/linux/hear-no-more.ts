import type { Socket } from 'node:net'
import { declare } from './libc.ts'
import { descriptorOf } from './socket-descriptor.ts'

const SHUT_RD = 0

const shutdown = declare('shutdown', ['int', 'int'])

/**
 * From here on, whoever writes to the other end of a unix socket is told EPIPE, and
 * knows that nobody read it. What was written before is read as ever, and then the
 * end.
 *
 * Node can only close its own half or both, either of which loses what comes at
 * that moment without the writer's knowledge.
 */
export function hearNoMore(socket: Socket): void {
  const descriptor = descriptorOf(socket)
  // It may have been closed from the other end already.
  if (descriptor !== undefined) shutdown.attempt(descriptor, SHUT_RD)
}
