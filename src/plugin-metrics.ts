import type { Server } from 'node:http'
import {
  callMetrics,
  processMetrics,
  trashMetrics,
  volumeMetrics,
} from './admin/daemon-metrics.ts'
import type { Half, VolumeHalf } from './halves.ts'
import { Metrics } from './operations/metrics.ts'
import type { Beside } from './plugin.ts'
import type { CallObserver } from './protocol/app.ts'
import { version } from './version.ts'

/** The numbers of an author's plugin: those of the daemon that are not its API's. */
export class PluginMetrics {
  /** Counts a call of Docker's. */
  readonly observe: CallObserver
  readonly #metrics: Metrics
  readonly #server: Server | undefined

  private constructor(metrics: Metrics, server: Server | undefined) {
    const count = callMetrics(metrics, 'docker')
    this.observe = ({ method, failure, milliseconds }) =>
      count({ name: method, isGood: failure === undefined, milliseconds })
    this.#metrics = metrics
    this.#server = server
  }

  /**
   * Serves the numbers at `port` of the loopback, if there is one.
   *
   * @throws InUseError when somebody else has the port.
   */
  static async open(port: number | undefined): Promise<PluginMetrics> {
    const metrics = new Metrics()
    processMetrics(metrics, version())
    if (port === undefined) return new PluginMetrics(metrics, undefined)
    // Loaded where it is needed: the administrator's API comes with it.
    const { listenForMetrics } = await import('./admin/metrics-listener.ts')
    return new PluginMetrics(metrics, await listenForMetrics(port, metrics))
  }

  /** Counts what becomes of `halves`, from now on. */
  count(halves: readonly Half[]): Beside {
    return {
      opened: Promise.all(halves.filter(isVolumes).map(this.#countVolumes)),
      drain: async () => this.close(),
      close: async () => undefined,
    }
  }

  /** All numbers as Prometheus reads them. */
  text(): Promise<string> {
    return this.#metrics.text()
  }

  close(): void {
    this.#server?.close()
    this.#server?.closeAllConnections()
  }

  readonly #countVolumes = async (half: VolumeHalf): Promise<void> => {
    volumeMetrics(this.#metrics, await half.volumes)
    trashMetrics(this.#metrics, await half.trash)
  }
}

function isVolumes(half: Half): half is VolumeHalf {
  return 'volumes' in half
}
