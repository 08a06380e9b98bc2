import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { ended } from './base/ended.ts'
import { messageOf, StowageError } from './base/errors.ts'
import type { Log } from './base/log.ts'
import type { Half } from './halves.ts'
import type { Plugin } from './running-plugin.ts'
import { notify } from './linux/notify.ts'
import {
  inheritedSockets,
  listenAt,
  type ListeningSocket,
} from './plugin-socket.ts'
import { type CallObserver, createApp } from './protocol/app.ts'
import { messagesFor } from './protocol/messages.ts'
import { Server } from './protocol/server.ts'
import { sweepDrafts } from './state/atomic-file.ts'
import { settleFormat } from './state/disk-format.ts'
import { lockRoot, type RootLock } from './state/root-lock.ts'
import { feedWatchdog } from './watchdog.ts'

/** As long as Docker itself waits for a volume. */
const DRAIN_LIMIT = 60_000

/** Docker runs as root; an administrator may give the socket a group besides. */
const SOCKET_MODE = 0o660

const DATA_ROOT_FORMAT = { kind: 'stowage', edition: 1 }

export interface PluginOptions {
  /** What is remembered, and the lock by which one process has it. */
  readonly dataRoot: string
  /** Where Docker finds the plugin, unless systemd hands a socket over. */
  readonly socket: string
  readonly log: Log
  readonly env: NodeJS.ProcessEnv
  /** Begins to open what is served, once the data root is ours. */
  readonly open: () => readonly Half[] | Promise<readonly Half[]>
  /** Is told of Docker's calls, from the first on. */
  readonly observe?: CallObserver
  /** Starts what is served besides, when Docker is served already. */
  readonly startBeside?: () => Promise<Beside>
}

/** What a plugin serves to others than Docker. */
export interface Beside {
  readonly opened: Promise<unknown>
  /** Takes no more calls, while Docker's last are being answered too. */
  drain(): Promise<void>
  /** Ends, when nobody calls any more and before what is served is closed. */
  close(): Promise<void>
}

/**
 * Starts a plugin: the one way to serve anything to Docker, be it the daemon's own
 * stores and layers or an author's.
 *
 * @throws InUseError when another process has the data root or the socket.
 */
export async function startPlugin(options: PluginOptions): Promise<Plugin> {
  const { dataRoot, log, env } = options
  const lock = await openRoot(dataRoot, log)
  try {
    const socket = await pluginSocket(options.socket, env)
    try {
      return await servePlugin(options, { socket, lock })
    } catch (error) {
      await socket.hide()
      throw error
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

interface Place {
  readonly socket: ListeningSocket
  readonly lock: RootLock
}

async function servePlugin(
  { open, observe, startBeside, log, env }: PluginOptions,
  { socket, lock }: Place,
): Promise<Plugin> {
  const halves = await open()
  const served = Promise.all(halves.map(async ({ routes }) => routes))
  void ended(served)
  const app = createApp(halves, log, observe)
  const server = new Server(app, messagesFor(app))
  await server.listen(socket.descriptor)
  tell('READY=1', env, log)
  feedWatchdog(env, log)
  const beside = await startBeside?.()
  return {
    opened: Promise.all([served, beside?.opened]),
    async stop() {
      tell('STOPPING=1', env, log)
      await socket.hide()
      const [cut] = await Promise.all([
        server.drain(DRAIN_LIMIT),
        beside?.drain(),
      ])
      if (cut > 0) log.warn('Calls cut off, they took too long', { cut })
      await beside?.close()
      for (const half of halves) await half.close()
      await lock.release()
    },
  }
}

async function openRoot(dataRoot: string, log: Log): Promise<RootLock> {
  let lock: RootLock | undefined
  try {
    await fs.mkdir(dataRoot, { recursive: true, mode: 0o711 })
    lock = await lockRoot(dataRoot, log)
    await sweepDrafts(dataRoot)
    await settleFormat(join(dataRoot, 'format'), DATA_ROOT_FORMAT)
    return lock
  } catch (error) {
    await lock?.release()
    if (error instanceof StowageError) throw error
    throw new Error(
      `Data root "${dataRoot}" cannot be used: ${messageOf(error)}`,
      { cause: error },
    )
  }
}

/** The socket that systemd holds for us, or else our own. */
async function pluginSocket(
  path: string,
  env: NodeJS.ProcessEnv,
): Promise<ListeningSocket> {
  const inherited = inheritedSockets(env, process.pid)
  const named = inherited.get('plugin')
  if (named !== undefined) return named
  for (const [name, socket] of inherited) if (name !== 'admin') return socket
  return listenAt(path, SOCKET_MODE)
}

/** Whoever started us may not listen any more; that is their affair. */
function tell(state: string, env: NodeJS.ProcessEnv, log: Log): void {
  try {
    notify(state, env)
  } catch (error) {
    log.warn('Cannot notify whoever started this', { state, error })
  }
}
