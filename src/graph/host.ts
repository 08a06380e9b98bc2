import { isDeepStrictEqual } from 'node:util'
import { InUseError, messageOf, UnavailableError } from '../base/errors.ts'
import { KeyedMutex } from '../base/keyed-mutex.ts'
import type { Log } from '../base/log.ts'
import type { Driver } from './driver.ts'
import { isClaimed } from './format.ts'
import { type InitParameters, readInit, writeInit } from './init.ts'
import type { DriverSource, OpenDriver } from './open-driver.ts'

export interface GraphHostOptions {
  /** Where the last Init is remembered. Layers live in the Home that it names. */
  readonly dataRoot: string
  /** Where the driver for an Init comes from. */
  readonly source: DriverSource
  readonly log: Log
}

/** Docker tells a plugin neither its version nor that it will never call. */
const requires =
  'Docker 20.10 to 26 with --experimental, 27 with DOCKERD_DEPRECATED_GRAPHDRIVER_PLUGINS=1 besides; 28 and later have no graph-driver plugins, and use the volumes only'

/**
 * Holds the driver that Docker's calls go to, from one Init to the next.
 *
 * Docker says Init when it starts, and does not repeat it when the plugin does. So
 * the last one is remembered, and its driver opened again, with what is mounted
 * left as it is.
 */
export class GraphHost {
  readonly #options: GraphHostOptions
  readonly #turns = new KeyedMutex()
  #parameters: InitParameters | undefined
  #open: OpenDriver | undefined
  #reason: unknown

  private constructor(options: GraphHostOptions) {
    this.#options = options
  }

  /**
   * Opens the driver of the last Init, if there was one. Where that fails the host
   * is open all the same, and the failure is what {@link driver} answers.
   *
   * A Home that is not there is not made: its disk may not be mounted yet.
   */
  static async open(options: GraphHostOptions): Promise<GraphHost> {
    const host = new GraphHost(options)
    try {
      const last = await readInit(options.dataRoot)
      if (last !== undefined) await host.#reopen(last)
      else options.log.info('Docker keeps no layers here yet', { requires })
    } catch (error) {
      options.log.error('Layers cannot be opened again', { error })
      host.#reason = error
    }
    return host
  }

  /**
   * Opens the driver for `parameters`. With those of the present driver, nothing
   * happens, unless somebody has deleted its Home meanwhile, or mounted a disk over
   * it; with another Home or other maps it is replaced.
   *
   * @throws InUseError for another Home while layers of the present one are held.
   * @throws InvalidArgumentError for an option that is unknown.
   */
  async init(parameters: InitParameters): Promise<void> {
    await this.#turns.run('driver', async () => {
      const present = this.#parameters
      const isSame = isDeepStrictEqual(parameters, present)
      if (isSame && (await this.#open?.isInPlace()) === true) return
      this.#options.source.check(parameters)
      if (present !== undefined) this.#refuseToLeave(present, parameters)
      await this.#switchTo(parameters)
      await writeInit(this.#options.dataRoot, parameters)
    })
  }

  /** @throws UnavailableError before Docker's first Init, or where it failed. */
  get driver(): Driver {
    if (this.#open !== undefined) return this.#open.driver
    if (this.#reason === undefined) {
      throw new UnavailableError(
        'There are no layers yet: Docker has not said Init, which it does when it starts',
      )
    }
    throw new UnavailableError(
      `Layers cannot be opened: ${messageOf(this.#reason)}`,
      { cause: this.#reason },
    )
  }

  /** The Home of the present driver, if there is one. */
  get home(): string | undefined {
    return this.#parameters?.home
  }

  /** Why there is no driver though there should be one. */
  get failure(): string | undefined {
    const isMissing = this.#open === undefined && this.#reason !== undefined
    return isMissing ? messageOf(this.#reason) : undefined
  }

  /** Leaves everything mounted: a restart is nothing that containers notice. */
  async close(): Promise<void> {
    await this.#turns.run('driver', () => this.#leave())
  }

  #refuseToLeave(present: InitParameters, next: InitParameters): void {
    if (present.home === next.home || this.#open?.isHeld() !== true) return
    throw new InUseError(
      `Cannot switch from "${present.home}" to "${next.home}": layers there are in use. Stop the Docker daemon that uses them`,
    )
  }

  async #reopen(parameters: InitParameters): Promise<void> {
    if (!(await isClaimed(parameters.home))) {
      throw new UnavailableError(
        `"${parameters.home}" has no layers. If its disk is mounted by now, restart the Docker daemon`,
      )
    }
    await this.#switchTo(parameters)
  }

  async #switchTo(parameters: InitParameters): Promise<void> {
    // One Home cannot be opened twice. Another is opened before this is left, so
    // that a failure leaves everything as it was.
    if (this.#parameters?.home === parameters.home) await this.#leave()
    try {
      const open = await this.#options.source.open(parameters)
      await this.#leave()
      this.#open = open
      this.#parameters = parameters
    } catch (error) {
      this.#reason = error
      throw error
    }
  }

  async #leave(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    this.#parameters = undefined
    await open?.close()
  }
}
