import { NO_ID_MAPS } from '../archive/id-map.ts'
import { SILENT } from '../base/log.ts'
import { authorDriver, type OpenGraphDriver } from '../graph/author-driver.ts'
import type { Driver } from '../graph/driver.ts'
import type { Opener } from './open-graph.ts'

/** An author's driver as `serve` would have it: this is what Docker meets. */
export function served(open: OpenGraphDriver): Opener<Driver> {
  const source = authorDriver(open, SILENT)
  return async (home, { uids, gids } = NO_ID_MAPS) => {
    const opened = await source.open({
      home,
      options: [],
      uidMaps: uids,
      gidMaps: gids,
    })
    return { driver: opened.driver, close: () => opened.close() }
  }
}
