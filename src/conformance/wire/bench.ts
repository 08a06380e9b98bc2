import { randomBytes } from 'node:crypto'
import { messageOf } from '../../base/errors.ts'
import {
  type Answer,
  DockerdClient,
  type Json,
  PluginFailure,
} from '../dockerd-client.ts'
import { NotExamined } from './check.ts'

export interface BenchOptions {
  /** The plugin's socket. */
  readonly socket: string
  /** Options that a volume needs to be created at all; `{name}` is its name. */
  readonly volumeOptions: Readonly<Record<string, string>>
  /** Restarts the plugin, and settles when it has begun. */
  readonly restart?: (() => Promise<void>) | undefined
  /** Where a graph driver keeps its layers while it is examined. */
  readonly home: string
  /** Milliseconds that a connection is left idle. */
  readonly idle: number
}

/** Where one plugin is examined: it sends, it judges as dockerd would, it tidies up. */
export class Bench {
  readonly docker: DockerdClient
  readonly options: BenchOptions
  readonly #volumes = new Set<string>()
  readonly #layers: string[] = []

  constructor(options: BenchOptions) {
    this.options = options
    this.docker = new DockerdClient(options.socket)
  }

  /** A name that nothing has. */
  name(): string {
    return `conformance-${randomBytes(6).toString('hex')}`
  }

  post(method: string, body?: string | Json): Promise<Answer> {
    return this.docker.post(method, body)
  }

  call(method: string, fields: Json = {}): Promise<Json> {
    return this.docker.call(method, fields)
  }

  /** The text of the failure that the call ends in, as Docker would show it. */
  async refusal(method: string, fields: Json): Promise<string> {
    try {
      const answer = await this.call(method, fields)
      throw new Error(`${method} succeeded: ${JSON.stringify(answer)}`)
    } catch (error) {
      if (error instanceof PluginFailure) return error.message
      throw error
    }
  }

  volume(method: string, Name: string, fields: Json = {}): Promise<Json> {
    return this.call(`VolumeDriver.${method}`, { Name, ...fields })
  }

  /** Creates a volume that is removed after the check. */
  async created(name = this.name(), fields: Json = {}): Promise<string> {
    this.#volumes.add(name)
    const Opts = this.optionsOf(name)
    await this.volume('Create', name, { Opts, ...fields })
    return name
  }

  /** The options that the volume `name` needs. */
  optionsOf(name: string): Readonly<Record<string, string>> {
    const { volumeOptions } = this.options
    return Object.fromEntries(
      Object.entries(volumeOptions).map(([option, value]) => [
        option,
        value.replaceAll('{name}', name),
      ]),
    )
  }

  async mounted(name: string, ID: string): Promise<string> {
    const { Mountpoint } = await this.volume('Mount', name, { ID })
    if (typeof Mountpoint === 'string') return Mountpoint
    throw new Error(`Mountpoint is ${JSON.stringify(Mountpoint)}`)
  }

  async unmounted(name: string, ID: string): Promise<void> {
    await this.volume('Unmount', name, { ID })
  }

  /** What Get shows, `undefined` where it says that there is no such volume. */
  async got(name: string): Promise<Json | undefined> {
    try {
      const { Volume } = await this.volume('Get', name)
      return isJson(Volume) ? Volume : undefined
    } catch (error) {
      if (error instanceof PluginFailure) return undefined
      throw error
    }
  }

  /** What List shows. */
  async listed(): Promise<readonly Json[]> {
    const { Volumes } = await this.call('VolumeDriver.List')
    if (Volumes === null || Volumes === undefined) return []
    if (Array.isArray(Volumes) && Volumes.every(isJson)) return Volumes
    throw new Error(`Volumes is ${JSON.stringify(Volumes)}`)
  }

  layer(method: string, ID: string, fields: Json = {}): Promise<Json> {
    return this.call(`GraphDriver.${method}`, { ID, ...fields })
  }

  /** Creates a layer that is removed after the check. */
  async layered(Parent = '', id = this.name()): Promise<string> {
    this.#layers.push(id)
    await this.layer('Create', id, Parent === '' ? {} : { Parent })
    return id
  }

  /** Runs `task` on the layer's tree, while the layer is held. */
  async within<T>(id: string, task: (tree: string) => Promise<T>): Promise<T> {
    const { Dir } = await this.layer('Get', id)
    if (typeof Dir !== 'string')
      throw new Error(`Dir is ${JSON.stringify(Dir)}`)
    try {
      return await task(Dir)
    } finally {
      await this.layer('Put', id)
    }
  }

  async restart(): Promise<void> {
    const { restart } = this.options
    if (restart === undefined) {
      throw new NotExamined('how to restart the plugin was not told')
    }
    await restart()
    this.docker.forgetConnections()
    await this.#answered()
  }

  /** Removes what the last check has made, as far as the plugin lets it. */
  async tidy(): Promise<void> {
    for (const name of this.#volumes) {
      for (const ID of ['a', 'b']) await attempt(this.unmounted(name, ID))
      await attempt(this.volume('Remove', name))
    }
    for (const id of this.#layers.toReversed()) {
      await attempt(this.layer('Put', id))
      await attempt(this.layer('Remove', id))
    }
    this.#volumes.clear()
    this.#layers.length = 0
  }

  close(): void {
    this.docker.close()
  }

  /** Waits as long as Docker would for a plugin that is being restarted. */
  async #answered(): Promise<void> {
    const deadline = Date.now() + RESTART_LIMIT
    for (;;) {
      try {
        await this.post('Plugin.Activate')
        return
      } catch (error) {
        if (Date.now() > deadline) {
          throw new Error(`Nobody answers: ${messageOf(error)}`, {
            cause: error,
          })
        }
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }
}

const RESTART_LIMIT = 15_000

/** What is tidied up may be gone, or the very thing that is broken. */
async function attempt(call: Promise<unknown>): Promise<void> {
  try {
    await call
  } catch {
    // The check has said what there is to say.
  }
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
