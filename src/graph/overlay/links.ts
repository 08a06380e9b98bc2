import { createHash } from 'node:crypto'
import * as fs from 'node:fs/promises'
import type { LayerId } from '../driver.ts'
import type { Home } from '../home.ts'
import { LINKS } from './layout.ts'

/**
 * The short path of a layer that is somebody's lower, counted from Home. It follows
 * from the id, so that two children may make their parent's link at once.
 */
export function linkOf(id: LayerId): string {
  const digest = createHash('sha256').update(id).digest('hex')
  return `${LINKS}/${digest.slice(0, 16)}`
}

/** Unlinks what a crash has left of links whose layer is no more. */
export async function sweepLinks(
  home: Home,
  ids: readonly LayerId[],
): Promise<void> {
  await home.ensureDirectory(LINKS)
  const links = new Set(ids.map(linkOf))
  for (const name of await fs.readdir(home.absolute(LINKS))) {
    const link = `${LINKS}/${name}`
    if (!links.has(link)) await fs.unlink(home.absolute(link))
  }
}
