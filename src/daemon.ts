import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, StowageError } from './base/errors.ts'
import type { Log } from './base/log.ts'
import type { Config } from './config.ts'
import { GraphHost } from './graph/host.ts'
import { notify } from './linux/notify.ts'
import {
  bindAt,
  inheritedSockets,
  type ListeningSocket,
} from './plugin-socket.ts'
import { createApp, type PluginInterface, type Routes } from './protocol/app.ts'
import { graphRoutes } from './protocol/graph-routes.ts'
import { messagesFor } from './protocol/messages.ts'
import { Server } from './protocol/server.ts'
import { volumeRoutes } from './protocol/volume-routes.ts'
import { settleFormat } from './state/disk-format.ts'
import { lockRoot, type RootLock } from './state/root-lock.ts'
import { VolumeLookupCache } from './volume/volume-lookup-cache.ts'
import { storeSource } from './volume/volume-stores.ts'
import { feedWatchdog } from './watchdog.ts'

/** As long as Docker itself waits for a volume. */
const DRAIN_LIMIT = 60_000

/** Docker runs as root; an administrator may give the socket a group besides. */
const SOCKET_MODE = 0o660

/** The plugin while it runs. */
export interface Daemon {
  /**
   * Settles when all that was asked for is open. Docker's calls are taken from the
   * start, and wait for the half of the plugin that they are meant for.
   */
  readonly opened: Promise<unknown>

  /**
   * Finishes what is in progress and lets go of the disk. What is mounted stays
   * mounted: containers do not notice a restart.
   */
  stop(): Promise<void>
}

/** One of the two interfaces, called before it is open. */
interface Half extends PluginInterface {
  readonly routes: Promise<Routes>
  close(): Promise<void>
}

/**
 * Starts the plugin that `config` describes.
 *
 * @throws InUseError when another daemon has the data root or the socket.
 */
export async function startDaemon(
  config: Config,
  log: Log,
  env: NodeJS.ProcessEnv,
): Promise<Daemon> {
  const lock = await openRoot(config.dataRoot, log)
  try {
    const socket = await pluginSocket(config.socket, env)
    const halves = config.implements.map((name) => HALVES[name](config, log))
    const app = createApp(halves, log)
    const server = new Server(app, messagesFor(app))
    await server.listen(socket.descriptor)
    tell('READY=1', env, log)
    feedWatchdog(env, log)
    return {
      opened: Promise.all(halves.map(({ routes }) => routes)),
      async stop() {
        tell('STOPPING=1', env, log)
        await socket.hide()
        const cut = await server.drain(DRAIN_LIMIT)
        if (cut > 0) log.warn('Calls cut off, they took too long', { cut })
        for (const half of halves) await half.close()
        await lock.release()
      },
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

const HALVES = { volume: volumeHalf, graph: graphHalf } as const

function volumeHalf({ dataRoot, stores, scope }: Config, log: Log): Half {
  const volumeLog = log.child({ component: 'volume' })
  const opened = VolumeLookupCache.open({
    dataRoot,
    stores: stores.map((spec) =>
      storeSource(spec, { dataRoot, log: volumeLog }),
    ),
    log: volumeLog,
  })
  const routes = async (): Promise<Routes> =>
    volumeRoutes(await opened, { scope })
  return {
    name: 'VolumeDriver',
    routes: routes(),
    close: async () => (await opened).close(),
  }
}

function graphHalf(config: Config, log: Log): Half {
  const opened = GraphHost.open({
    dataRoot: config.dataRoot,
    driver: config.graphDriver,
    naiveDiff: config.naiveDiff,
    log: log.child({ component: 'graph' }),
  })
  const routes = async (): Promise<Routes> => graphRoutes(await opened)
  return {
    name: 'GraphDriver',
    routes: routes(),
    close: async () => (await opened).close(),
  }
}

async function openRoot(dataRoot: string, log: Log): Promise<RootLock> {
  let lock: RootLock | undefined
  try {
    await fs.mkdir(dataRoot, { recursive: true, mode: 0o711 })
    lock = await lockRoot(dataRoot, log)
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

const DATA_ROOT_FORMAT = { kind: 'stowage', edition: 1 }

/** The socket that systemd holds for us, or else our own. */
async function pluginSocket(
  path: string,
  env: NodeJS.ProcessEnv,
): Promise<ListeningSocket> {
  const inherited = inheritedSockets(env, process.pid)
  const named = inherited.get('plugin')
  if (named !== undefined) return named
  for (const [name, socket] of inherited) if (name !== 'admin') return socket
  return bindAt(path, SOCKET_MODE)
}

/** Whoever started us may not listen any more; that is their affair. */
function tell(state: string, env: NodeJS.ProcessEnv, log: Log): void {
  try {
    notify(state, env)
  } catch (error) {
    log.warn('Cannot notify whoever started this', { state, error })
  }
}
