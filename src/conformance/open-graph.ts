import { SILENT } from '../base/log.ts'
import type { IdMaps } from '../archive/id-map.ts'
import type { Driver, ProtoDriver } from '../graph/driver.ts'
import { Home } from '../graph/home.ts'
import type { LayerDriver } from '../graph/layer-driver.ts'
import { MountedLayers } from '../graph/mounted-layers.ts'
import { NaiveDiffDriver } from '../graph/naive-diff.ts'

/** Something that runs until it is closed, as a process does until it ends. */
export interface Opened<T> {
  readonly driver: T
  /** Ends it as a stop of the daemon does: what is mounted stays. */
  readonly close: () => Promise<void>
}

/** Opens a driver on the directory that Docker would name. */
export type Opener<T> = (home: string, idMaps?: IdMaps) => Promise<Opened<T>>

/** Opens a driver that describes its layers, on the home it is given. */
export type OpenLayers = (home: Home) => Promise<LayerDriver>

/** The layers alone, with the Home that they are kept in. */
export async function openLayers(
  open: OpenLayers,
  directory: string,
  idMaps?: IdMaps,
): Promise<Opened<LayerDriver> & { readonly home: Home }> {
  const home = await Home.open(directory, {
    log: SILENT,
    ...(idMaps === undefined ? {} : { idMaps }),
  })
  try {
    const driver = await open(home)
    return {
      driver,
      home,
      async close() {
        await driver.close()
        await home.close()
      },
    }
  } catch (error) {
    await home.close()
    throw error
  }
}

export function mounted(open: OpenLayers): Opener<ProtoDriver> {
  return async (directory, idMaps) => {
    const layers = await openLayers(open, directory, idMaps)
    const driver = await MountedLayers.open(layers.driver, layers.home)
    return {
      driver,
      async close() {
        await driver.close()
        await layers.home.close()
      },
    }
  }
}

/** Whose changes are found by comparing mounted trees. */
export function naive(open: OpenLayers): Opener<Driver> {
  return diffing(open, { naive: true })
}

/** Whose changes are found in the driver's own way, where it has one. */
export function native(open: OpenLayers): Opener<Driver> {
  return diffing(open, { naive: false })
}

function diffing(
  open: OpenLayers,
  options: { readonly naive: boolean },
): Opener<Driver> {
  return async (directory, idMaps) => {
    const { driver: proto, close } = await mounted(open)(directory, idMaps)
    const driver = await NaiveDiffDriver.open(proto, {
      ...options,
      marks: directory,
      ...(idMaps === undefined ? {} : { idMaps }),
    })
    return { driver, close }
  }
}
