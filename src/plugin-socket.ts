import type { Stats } from 'node:fs'
import * as fs from 'node:fs/promises'
import { dirname } from 'node:path'
import { InUseError, isErrno } from './base/errors.ts'
import { isAnswered, listenOn } from './linux/unix-socket.ts'

/** What a server takes calls from. Those before it wait in its queue. */
export interface ListeningSocket {
  readonly descriptor: number
  /** Takes the name away, so that nobody new comes; who is in the queue stays. */
  hide(): Promise<void>
}

/**
 * Listens at `path`, in place of what a daemon that is gone has left there: Docker
 * asks a dead socket again and again for 15 s, whenever it lists plugins.
 *
 * @throws InUseError when somebody listens there, or it is no socket.
 */
export async function listenAt(
  path: string,
  mode: number,
): Promise<ListeningSocket> {
  await fs.mkdir(dirname(path), { recursive: true, mode: 0o755 })
  await removeStale(path)
  const descriptor = listenOn(path, mode)
  // No other file gets this number while the socket is open.
  const { ino: own } = await fs.lstat(path)
  return {
    descriptor,
    async hide() {
      const present = await statOf(path)
      if (present?.ino === own) await fs.unlink(path)
    },
  }
}

/** The sockets that systemd opened for this process, by their names in the unit. */
export function inheritedSockets(
  env: NodeJS.ProcessEnv,
  pid: number,
): ReadonlyMap<string, ListeningSocket> {
  const sockets = new Map<string, ListeningSocket>()
  if (env.LISTEN_PID !== String(pid)) return sockets
  const names = (env.LISTEN_FDNAMES ?? '').split(':')
  const count = Number(env.LISTEN_FDS)
  for (let i = 0; i < count; i++) {
    // It belongs to systemd, which goes on listening while nobody is here.
    sockets.set(names[i] ?? '', {
      descriptor: FIRST_INHERITED + i,
      hide: async () => undefined,
    })
  }
  return sockets
}

/** Descriptors are handed over from this one on: sd_listen_fds(3). */
const FIRST_INHERITED = 3

async function removeStale(path: string): Promise<void> {
  const present = await statOf(path)
  if (present === undefined) return
  if (!present.isSocket()) {
    throw new InUseError(`"${path}" is not a socket: move it away`)
  }
  if (await isAnswered(path)) {
    throw new InUseError(
      `"${path}" is in use: another Stowage answers there. Stop it, or choose another path`,
    )
  }
  await fs.rm(path, { force: true })
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await fs.lstat(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
