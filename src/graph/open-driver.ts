import { AUTO, openLayers } from './driver-choice.ts'
import { drivers } from './drivers.ts'
import type { Log } from '../base/log.ts'
import type { Driver } from './driver.ts'
import { isClaimed } from './format.ts'
import { Home } from './home.ts'
import type { InitParameters } from './init.ts'
import { MountedLayers } from './mounted-layers.ts'
import { NaiveDiffDriver } from './naive-diff.ts'
import { parseStorageOptions } from './storage-options.ts'

/** Which driver is opened, and how it tells changes. */
export interface DriverOptions {
  /** The driver to use where Docker's options name none; `auto` by default. */
  readonly driver?: string | undefined
  /** Whether to compare trees even where the driver could tell changes itself. */
  readonly naiveDiff?: boolean | undefined
  readonly log: Log
}

/** A driver together with what it stands on. */
export interface OpenDriver {
  readonly driver: Driver
  /** Whether anyone holds any of its layers. */
  isHeld(): boolean
  /** Whether Home is still the directory that was opened, and keeps layers. */
  isInPlace(): Promise<boolean>
  /** Lets go of Home, and leaves all mounts for the next to open it. */
  close(): Promise<void>
}

/** Where drivers come from: those that are built in, or an author's. */
export interface DriverSource {
  /** @throws InvalidArgumentError for an option that no driver of it knows. */
  check(parameters: InitParameters): void
  /** Opens the driver for what Docker's Init says, over whatever is there already. */
  open(parameters: InitParameters): Promise<OpenDriver>
}

/** Opens the driver for what Docker's Init says, over whatever is there already. */
export async function openDriver(
  parameters: InitParameters,
  options: DriverOptions,
): Promise<OpenDriver> {
  const storageOptions = parseStorageOptions(parameters.options)
  const { driver: wanted = options.driver ?? AUTO } = storageOptions
  const candidates = drivers(storageOptions)
  const { uidMaps: uids, gidMaps: gids } = parameters
  const home = await Home.open(parameters.home, {
    log: options.log,
    idMaps: { uids, gids },
  })
  try {
    const { layers, reason } = await openLayers(candidates, home, wanted)
    const mounted = await MountedLayers.open(layers, home, [
      ['Layer Driver', layers.name],
      ['Chosen Because', reason],
    ])
    options.log.info('Layers opened', { driver: layers.name, reason })
    const driver = await NaiveDiffDriver.open(mounted, {
      marks: home.path,
      idMaps: home.idMaps,
      log: options.log,
      naive: options.naiveDiff,
    })
    return {
      driver,
      isHeld: () => mounted.isHeld(),
      isInPlace: async () =>
        (await home.isInPlace()) && (await isClaimed(home.path)),
      async close() {
        await driver.settle()
        await mounted.close()
        await home.close()
      },
    }
  } catch (error) {
    await home.close()
    throw error
  }
}
