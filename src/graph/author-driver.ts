import type { IdMaps } from '../archive/id-map.ts'
import { InvalidArgumentError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Driver, ProtoDriver } from './driver.ts'
import { claim, driverOf, isClaimed } from './format.ts'
import { Home } from './home.ts'
import type { InitParameters } from './init.ts'
import type { LayerDriver } from './layer-driver.ts'
import { MountedLayers } from './mounted-layers.ts'
import { NaiveDiffDriver } from './naive-diff.ts'
import type { DriverSource, OpenDriver } from './open-driver.ts'
import { QueuedDriver } from './queued-driver.ts'

/** What a driver is opened with, beside its directory. */
export interface DriverCircumstances {
  /** The `--storage-opt` pairs of dockerd. */
  readonly options: readonly string[]
  /** The users and groups of dockerd's user namespace, none by default. */
  readonly idMaps: IdMaps
  readonly log: Log
}

/**
 * Opens a driver on a directory of its own, which is there, and has what an
 * earlier one of this name has left in it.
 *
 * A {@link ProtoDriver} is the usual thing: calls for one layer take turns, and
 * trees are compared for it. A {@link LayerDriver} describes its mounts, and they
 * are made and counted for it. A {@link Driver} does everything itself.
 */
export type OpenGraphDriver = (
  directory: string,
  circumstances: DriverCircumstances,
) => AnyDriver | Promise<AnyDriver>

/** Each of the contracts by which layers can be kept. */
export type AnyDriver = ProtoDriver | LayerDriver | Driver

/** Where an author's driver keeps its layers, beneath Docker's Home. */
const LAYERS = 'layers'

/** Serves the driver that `open` opens as those that are built in are served. */
export function authorDriver(open: OpenGraphDriver, log: Log): DriverSource {
  return {
    // Which options there are is for the driver to say, when it is opened.
    check: () => undefined,
    open: (parameters) => openAuthorDriver(open, parameters, log),
  }
}

async function openAuthorDriver(
  open: OpenGraphDriver,
  { home: directory, options, uidMaps, gidMaps }: InitParameters,
  log: Log,
): Promise<OpenDriver> {
  const idMaps = { uids: uidMaps, gids: gidMaps }
  const home = await Home.open(directory, { log, idMaps })
  try {
    const present = await driverOf(home.path)
    await home.ensureDirectory(LAYERS)
    const opened = await open(home.absolute(LAYERS), { options, idMaps, log })
    refuseOther(opened.name, present, home.path)
    const served = await serve(opened, home)
    await claim(home.path, opened.name)
    log.info('Layers opened', { driver: opened.name })
    return {
      ...served,
      isInPlace: async () =>
        (await home.isInPlace()) && (await isClaimed(home.path)),
      async close() {
        await served.close()
        await home.close()
      },
    }
  } catch (error) {
    await home.close()
    throw error
  }
}

/** A driver as Docker's calls want it, wherever its author stopped. */
async function serve(
  opened: AnyDriver,
  home: Home,
): Promise<Omit<OpenDriver, 'isInPlace'>> {
  if ('diff' in opened) {
    return { driver: opened, isHeld: () => false, close: async () => undefined }
  }
  if ('mounts' in opened) {
    const mounted = await MountedLayers.open(opened, home)
    return {
      driver: await withDiffs(mounted, home),
      isHeld: () => mounted.isHeld(),
      close: () => mounted.close(),
    }
  }
  const queued = new QueuedDriver(opened)
  return {
    driver: await withDiffs(queued, home),
    isHeld: () => queued.isHeld(),
    close: async () => undefined,
  }
}

function withDiffs(driver: ProtoDriver, home: Home): Promise<NaiveDiffDriver> {
  const { path: marks, idMaps, log } = home
  return NaiveDiffDriver.open(driver, { marks, idMaps, log })
}

function refuseOther(
  name: string,
  present: string | undefined,
  home: string,
): void {
  if (present === undefined || present === name) return
  throw new InvalidArgumentError(
    `Driver "${name}" cannot be used: the layers in "${home}" are kept by "${present}". Name another Home`,
  )
}
