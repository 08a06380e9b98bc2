import { join } from 'node:path'
import { InvalidArgumentError } from './base/errors.ts'
import type { Log } from './base/log.ts'
import { authorDriver, type OpenGraphDriver } from './graph/author-driver.ts'
import { type Half, openGraph, openVolumes } from './halves.ts'
import { Logger } from './logger.ts'
import { PluginMetrics } from './plugin-metrics.ts'
import { startPlugin } from './plugin.ts'
import type { Plugin } from './running-plugin.ts'
import type { VolumeStoreSource } from './volume/attached-store.ts'
import { DEFAULT_STORE } from './volume/volume-options.ts'
import type { SimpleStore } from './volume/simple-store.ts'
import { wholeStore } from './volume/whole-store.ts'

export type { Plugin } from './running-plugin.ts'

/** A plugin that `serve` has made. */
export interface ServedPlugin extends Plugin {
  /**
   * Its numbers as Prometheus reads them: calls and how long they took, failures,
   * volumes, holders, memory, how busy the process is.
   */
  metrics(): Promise<string>
}

/** Where Docker looks for the sockets of plugins. */
const PLUGINS = '/run/docker/plugins'

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/

/** A store, or where one comes from that cannot always be reached. */
export type ServedStore = SimpleStore | VolumeStoreSource

/** What is served, and under which name. Only that must be said. */
export interface ServeOptions {
  /** What Docker calls the plugin: `docker volume create -d NAME`. */
  readonly name: string

  /**
   * What keeps volumes: one store, called `default`, or several, one of which is.
   * Without any, the plugin is no volume driver.
   */
  readonly volumes?: ServedStore | readonly ServedStore[]

  /**
   * Opens what keeps layers: `dockerd --experimental -s NAME`. Without it, the
   * plugin is no graph driver.
   */
  readonly graph?: OpenGraphDriver

  /**
   * What is remembered from one run to the next: who holds what, which names there
   * are. `/var/lib/NAME` by default. One process has it at a time.
   */
  readonly dataRoot?: string

  /** `/run/docker/plugins/NAME.sock` by default. A socket of systemd's wins over it. */
  readonly socket?: string

  /** Whether a name means the same volume on every host; `local` by default. */
  readonly scope?: 'local' | 'global'

  /** Lines of text on standard output by default. */
  readonly log?: Log

  /** Where metrics are served on the loopback, at `/metrics`; nowhere by default. */
  readonly metricsPort?: number

  /** What stops the plugin: SIGTERM and SIGINT by default. */
  readonly signals?: readonly NodeJS.Signals[]
}

/**
 * Makes a plugin of a volume store, a graph driver, or both: it answers when this
 * settles, until it is stopped.
 *
 * Docker's wire comes with it: activation, the socket, errors that Docker shows,
 * one queue for each volume and each layer, deadlines below Docker's own, holds
 * that outlive a crash, calls that Docker repeats, layer tars, logs, metrics, and a
 * stop that finishes what is in progress and leaves mounted what is mounted.
 *
 * The process is the plugin's: file modes mean what they say, its umask is 0.
 *
 * @throws InvalidArgumentError for options that cannot be served.
 * @throws InUseError when another process has the data root, the socket, or the port.
 */
export async function serve(options: ServeOptions): Promise<ServedPlugin> {
  const { name, metricsPort, signals = ['SIGTERM', 'SIGINT'] } = options
  refuse(options)
  process.umask(0)
  const {
    dataRoot = join('/var/lib', name),
    socket = join(PLUGINS, `${name}.sock`),
    log = Logger.open({
      level: 'info',
      format: 'text',
      stream: process.stdout,
    }),
  } = options
  const metrics = await PluginMetrics.open(metricsPort)
  let served: readonly Half[] = []
  try {
    const plugin = await startPlugin({
      dataRoot,
      socket,
      log,
      env: process.env,
      open: () => (served = halves(options, dataRoot, log)),
      observe: metrics.observe,
      startBeside: async () => metrics.count(served),
    })
    const stop = onSignal(signals, () => plugin.stop())
    log.info('Serving', { name, socket, dataRoot })
    return { opened: plugin.opened, stop, metrics: () => metrics.text() }
  } catch (error) {
    metrics.close()
    throw error
  }
}

function halves(
  { volumes, graph, scope = 'local' }: ServeOptions,
  dataRoot: string,
  log: Log,
): readonly Half[] {
  const served: Half[] = []
  if (volumes !== undefined) {
    const stores = listOf(volumes).map(sourceOf)
    served.push(openVolumes({ dataRoot, stores, scope, log }))
  }
  if (graph !== undefined) {
    const source = authorDriver(graph, log)
    served.push(openGraph({ dataRoot, source, log }))
  }
  return served
}

function refuse({ name, volumes, graph }: ServeOptions): void {
  if (!NAME.test(name)) {
    throw new InvalidArgumentError(
      `A plugin cannot be called "${name}": Docker takes letters, digits, "_", "." and "-"`,
    )
  }
  if (volumes === undefined && graph === undefined) {
    throw new InvalidArgumentError(
      `Plugin "${name}" has nothing to serve: give it volumes, or a graph driver`,
    )
  }
  if (volumes === undefined) return
  const names = listOf(volumes).map((store) => store.name)
  if (names.includes(DEFAULT_STORE)) return
  throw new InvalidArgumentError(
    `One of the stores must be called "${DEFAULT_STORE}", for volumes that name none: there is ${names.map((store) => `"${store}"`).join(', ')}`,
  )
}

function listOf(
  volumes: ServedStore | readonly ServedStore[],
): readonly ServedStore[] {
  return 'name' in volumes ? [volumes] : volumes
}

function sourceOf(store: ServedStore): VolumeStoreSource {
  if ('open' in store) return store
  return {
    name: store.name,
    kind: store.kind,
    open: async () => wholeStore(store),
  }
}

/** `stop`, which is also called by the first of `signals`, and does its work once. */
function onSignal(
  signals: readonly NodeJS.Signals[],
  stop: () => Promise<void>,
): () => Promise<void> {
  let stopping: Promise<void> | undefined
  const listener = (): void => void once()
  const once = (): Promise<void> => {
    stopping ??= stop()
    return stopping
  }
  // They stay: without any, the keeper of the lease would take the next signal for
  // the end, and kill a process that is finishing what is in progress.
  for (const signal of signals) process.on(signal, listener)
  return once
}
