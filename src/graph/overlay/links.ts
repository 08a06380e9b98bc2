import { createHash } from 'node:crypto'
import * as fs from 'node:fs/promises'
import type { LayerId } from '../driver.ts'
import type { Home } from '../home.ts'
import type { Step } from '../step.ts'
import { LINKS } from './layout.ts'

interface Link {
  readonly path: string
  isThere: boolean
}

/**
 * The short paths of the layers that are somebody's lower.
 *
 * What is known here spares each call a digest, and each child the attempt to make
 * its parent's link again: no other process has Home.
 */
export class Links {
  readonly #links = new Map<LayerId, Link>()

  /** Unlinks what a crash has left of links whose layer is none of `ids`. */
  static async open(home: Home, ids: readonly LayerId[]): Promise<Links> {
    await home.ensureDirectory(LINKS)
    const links = new Links()
    const owners = new Map(ids.map((id) => [linkOf(id), id]))
    for (const name of await fs.readdir(home.absolute(LINKS))) {
      const path = `${LINKS}/${name}`
      const id = owners.get(path)
      if (id === undefined) await fs.unlink(home.absolute(path))
      else links.made(id)
    }
    return links
  }

  /** The path of the layer's link, counted from Home. */
  pathOf(id: LayerId): string {
    return this.#link(id).path
  }

  /** What makes the link, to `target`, unless it is there. */
  making(id: LayerId, target: string): readonly Step[] {
    const { path, isThere } = this.#link(id)
    return isThere ? [] : [{ do: 'symlink', path, target: `../${target}` }]
  }

  made(id: LayerId): void {
    this.#link(id).isThere = true
  }

  /** What unlinks the link of a layer that is going, if it may have one. */
  dropping(id: LayerId): readonly Step[] {
    const link = this.#links.get(id)
    this.#links.delete(id)
    return link === undefined ? [] : [{ do: 'unlink', path: link.path }]
  }

  #link(id: LayerId): Link {
    const known = this.#links.get(id)
    if (known !== undefined) return known
    const link = { path: linkOf(id), isThere: false }
    this.#links.set(id, link)
    return link
  }
}

/** It follows from the id, so that two children may make it at once. */
export function linkOf(id: LayerId): string {
  const digest = createHash('sha256').update(id).digest('hex')
  return `${LINKS}/${digest.slice(0, 16)}`
}
