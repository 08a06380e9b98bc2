import { setTimeout as sleep } from 'node:timers/promises'
import type { AdminRecords } from './admin-records.ts'
import { ended } from './base/ended.ts'
import type { Config } from './config.ts'
import { builtInDrivers } from './graph/built-in-drivers.ts'
import {
  type GraphHalf,
  openGraph,
  openVolumes,
  type VolumeHalf,
} from './halves.ts'
import type { Logger } from './logger.ts'
import { type AddedStore, readAddedStores } from './operations/stores.ts'
import {
  inheritedSockets,
  listenAt,
  type ListeningSocket,
} from './plugin-socket.ts'
import { type Beside, startPlugin } from './plugin.ts'
import type { CallObserver, ObservedCall } from './protocol/app.ts'
import type { Plugin } from './running-plugin.ts'
import { storeSource } from './volume/volume-stores.ts'

/** The administrator's socket: what systemd's unit calls it, and for whom it is. */
const ADMIN = 'admin'
const ADMIN_MODE = 0o600

/** How long the administrator's API waits for volumes, in milliseconds. */
const SOON = 1000

/**
 * Starts the plugin that `config` describes: the stores and the layers that are
 * built in, served as any others are, and the administrator's API beside them.
 *
 * @throws InUseError when another daemon has the data root or a socket.
 */
export async function startDaemon(
  config: Config,
  log: Logger,
  env: NodeJS.ProcessEnv,
): Promise<Plugin> {
  const { dataRoot, socket } = config
  const parts = new Parts(config, log, env)
  return startPlugin({
    dataRoot,
    socket,
    log,
    env,
    open: () => parts.open(),
    observe: (call) => parts.observe(call),
    startBeside: () => parts.startAdmin(),
  })
}

/** What the daemon is made of, in the order in which it comes about. */
class Parts {
  readonly #config: Config
  readonly #log: Logger
  readonly #env: NodeJS.ProcessEnv
  #socket: ListeningSocket | undefined
  #added: readonly AddedStore[] = []
  #volumes: VolumeHalf | undefined
  #graph: GraphHalf | undefined
  /** Docker's calls, until there is somebody to be told of them. */
  readonly #early: ObservedCall[] = []
  observe: CallObserver = (call) => this.#early.push(call)

  constructor(config: Config, log: Logger, env: NodeJS.ProcessEnv) {
    this.#config = config
    this.#log = log
    this.#env = env
  }

  async open(): Promise<readonly (VolumeHalf | GraphHalf)[]> {
    const { dataRoot, stores, adminSocket, implements: wanted } = this.#config
    this.#added = await readAddedStores(dataRoot, stores)
    const inherited = inheritedSockets(this.#env, process.pid)
    this.#socket =
      inherited.get(ADMIN) ?? (await listenAt(adminSocket, ADMIN_MODE))
    if (wanted.includes('volume')) this.#volumes = this.#openVolumes()
    if (wanted.includes('graph')) this.#graph = this.#openGraph()
    return [this.#volumes, this.#graph].filter((half) => half !== undefined)
  }

  /**
   * Loaded when Docker is served already. What is more than its records, a third of
   * the whole program, waits until Docker has its volumes as well, or for a moment,
   * for some stores hang: whoever reads thousands of volumes needs the thread.
   */
  async startAdmin(): Promise<Beside> {
    const records = await this.#keepRecords()
    await Promise.race([
      this.#volumesOpened(),
      sleep(SOON, undefined, { ref: false }),
    ])
    await (await import('./admin/load-contract.ts')).loadContract()
    const { startAdmin } = await import('./admin-service.ts')
    if (this.#socket === undefined) throw new Error('There is no admin socket')
    return startAdmin({
      config: this.#config,
      log: this.#log,
      env: this.#env,
      socket: this.#socket,
      added: this.#added,
      ...records,
      volumes: this.#volumes?.volumes,
      trash: this.#volumes?.trash,
      graph: this.#graph?.graph,
    })
  }

  async #keepRecords(): Promise<AdminRecords> {
    const { openRecords } = await import('./admin-records.ts')
    const records = await openRecords(this.#config.dataRoot, this.#log)
    this.observe = records.observe
    for (const call of this.#early.splice(0)) this.observe(call)
    return records
  }

  /** Settles when the stores have been tried, however that went. */
  async #volumesOpened(): Promise<void> {
    const opened = async () => (await this.#volumes?.volumes)?.opened()
    await ended(opened())
  }

  #openVolumes(): VolumeHalf {
    const { dataRoot, stores, scope, trashTime, trashFree } = this.#config
    const log = this.#log.child({ component: 'volume' })
    const specs = [...stores, ...this.#added.map(({ spec }) => spec)]
    const sources = specs.map((spec) => storeSource(spec, { dataRoot, log }))
    const trash = { keepFor: trashTime, leaveFree: trashFree }
    return openVolumes({ dataRoot, stores: sources, trash, scope, log })
  }

  #openGraph(): GraphHalf {
    const { dataRoot, graphDriver: driver, naiveDiff } = this.#config
    const log = this.#log.child({ component: 'graph' })
    const source = builtInDrivers({ driver, naiveDiff, log })
    return openGraph({ dataRoot, source, log })
  }
}
