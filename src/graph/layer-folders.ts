import * as fs from 'node:fs/promises'
import { basename, join } from 'node:path'
import { AlreadyExistsError, isErrno, NotFoundError } from '../base/errors.ts'
import { inParallel } from '../base/in-parallel.ts'
import { type LayerId, NO_PARENT } from './driver.ts'
import type { Home } from './home.ts'
import { type Eraser, REMOVAL_PREFIX, Removals } from './removals.ts'
import type { Blank, MakeDirectory, Step } from './step.ts'

const LAYERS = 'layers'
const PARENT = 'parent'
const SEALED = 'sealed'
const REMOVED = 'removed'

/** A layer as far as every driver knows it. */
export interface LayerRecord {
  readonly id: LayerId
  readonly parent: LayerId
}

interface Entry extends LayerRecord {
  children: number
  sealed: boolean
  removed: boolean
}

/** A layer as its directory has it. */
export interface LayerFolder extends LayerRecord {
  readonly sealed: boolean
  /** Whether it is only kept because another reads it. */
  readonly removed: boolean
}

/** The layers in `home`, which another process may have: it is only looked at. */
export async function readLayerFolders(
  home: string,
): Promise<readonly LayerFolder[]> {
  const layers = join(home, LAYERS)
  const ids = await fs.readdir(layers)
  // Thousands are read at a start, and one after the other each waits for a thread.
  return inParallel(ids, 16, (id) => readLayerFolder(layers, id))
}

async function readLayerFolder(
  layers: string,
  id: LayerId,
): Promise<LayerFolder> {
  const names = await fs.readdir(join(layers, id))
  const parent = names.includes(PARENT)
    ? basename(await fs.readlink(join(layers, id, PARENT)))
    : NO_PARENT
  const sealed = names.includes(SEALED)
  const removed = names.includes(REMOVED)
  return { id, parent, sealed, removed }
}

/** Adds what a driver keeps to the directory of a layer in the making. */
export type Build = (draft: string) => Promise<readonly Step[]>

export interface FolderOptions {
  /** Whether children read the data of their parent, which then outlives it. */
  readonly childrenRead: boolean
  /** What the directory of any child begins as, so that it can be made ahead. */
  readonly child?: (draft: string) => readonly MakeDirectory[]
  readonly erase?: Eraser
}

/**
 * The part of a driver's house that all drivers share: a directory for each layer.
 *
 *     <home>/layers/<id>/          whatever the driver keeps
 *     <home>/layers/<id>/parent    symlink to ../<parent>; not on base layers
 *     <home>/layers/<id>/sealed    the layer is written no more
 *     <home>/layers/<id>/removed   the layer is removed, but a child reads it
 *
 * Only names are kept here, and no file has content: a power cut may take the
 * content of a file that a rename has made visible, but never tears a name.
 *
 * All names are read once and then known, because no other process has Home.
 */
export class LayerFolders {
  readonly #home: Home
  readonly #options: FolderOptions
  readonly #removals: Removals
  readonly #entries = new Map<LayerId, Entry>()
  /** Where the next child's directory is made ahead. */
  #nextDraft: string | undefined

  private constructor(home: Home, options: FolderOptions) {
    this.#home = home
    this.#options = options
    this.#removals = new Removals(home.log, options.erase)
  }

  /** Reads the layers of `home`, and sweeps what was half made or half removed. */
  static async open(home: Home, options: FolderOptions): Promise<LayerFolders> {
    await home.ensureDirectory(LAYERS)
    const folders = new LayerFolders(home, options)
    await folders.#removals.sweep(home.path, ['new-', 'blank-', REMOVAL_PREFIX])
    await folders.#read()
    return folders
  }

  /** Where the layer's directory is, counted from Home. */
  pathOf(id: LayerId): string {
    return `${LAYERS}/${id}`
  }

  /** The link to the layer's parent, made when everything else of it was. */
  parentLink(id: LayerId): string {
    return join(this.pathOf(id), PARENT)
  }

  has(id: LayerId): boolean {
    return this.#entries.get(id)?.removed === false
  }

  /** The layers, and those whose data is still read. */
  ids(): readonly LayerId[] {
    return [...this.#entries.keys()]
  }

  /** @throws NotFoundError when `id` is not a layer. */
  record(id: LayerId): LayerRecord {
    const entry = this.#entries.get(id)
    if (entry !== undefined && !entry.removed) return entry
    throw new NotFoundError(`Layer "${id}" does not exist`)
  }

  /** The layers beneath `id`, nearest first, removed ones among them. */
  ancestors(id: LayerId): readonly LayerId[] {
    const ancestors: LayerId[] = []
    let { parent } = this.record(id)
    while (parent !== NO_PARENT) {
      ancestors.push(parent)
      const entry = this.#entries.get(parent)
      if (entry === undefined) {
        throw new NotFoundError(
          `Layer "${id}" cannot be read: layer "${parent}" beneath it is missing`,
        )
      }
      parent = entry.parent
    }
    return ancestors
  }

  isSealed(id: LayerId): boolean {
    return this.#entries.get(id)?.sealed === true
  }

  async seal(id: LayerId): Promise<void> {
    this.record(id)
    await this.#home.run(this.#sealing(id))
    this.#setSealed(id)
  }

  /** Adds a layer that is whole when it can be seen, and absent after a failure. */
  async create(id: LayerId, parent: LayerId, build: Build): Promise<void> {
    if (this.#entries.has(id)) throw new AlreadyExistsError(taken(id))
    if (parent !== NO_PARENT) this.record(parent)
    // Counted from now on, so that the parent's data stays while it is read.
    const entry = { id, parent, children: 0, sealed: false, removed: false }
    this.#count(parent, 1)
    const { draft, begun, next } = this.#begin(parent)
    try {
      const steps = [...begun, ...(await build(draft))]
      if (parent !== NO_PARENT) {
        const path = join(draft, PARENT)
        steps.push({ do: 'symlink', path, target: `../${parent}` })
        steps.push(...this.#sealing(parent))
      }
      steps.push({ do: 'rename', from: draft, to: this.pathOf(id) })
      await this.#home.run(steps, next)
      this.#entries.set(id, entry)
      this.#setSealed(parent)
    } catch (error) {
      this.#count(parent, -1)
      this.#removals.start(this.#home.absolute(draft))
      if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) {
        throw new AlreadyExistsError(taken(id), { cause: error })
      }
      throw error
    }
  }

  /** Where a layer is made, what it begins as, and what the next child will. */
  #begin(parent: LayerId): Beginning {
    const { child } = this.#options
    if (parent === NO_PARENT || child === undefined) {
      return { draft: this.#home.draft(), begun: [], next: undefined }
    }
    const blank = (path: string): Blank => {
      return { do: 'blank', path, directories: child(path) }
    }
    const draft = this.#nextDraft ?? this.#home.draft('blank')
    this.#nextDraft = this.#home.draft('blank')
    return { draft, begun: [blank(draft)], next: blank(this.#nextDraft) }
  }

  /** `alongside` are steps that let go of the layer's other names. */
  async remove(id: LayerId, alongside: Alongside = () => []): Promise<void> {
    const entry = this.#entries.get(id)
    if (entry === undefined || entry.removed) return
    if (this.#options.childrenRead && entry.children > 0) {
      const path = join(this.pathOf(id), REMOVED)
      await this.#home.run([{ do: 'mark', path }])
      entry.removed = true
      return
    }
    this.#discard(entry, alongside)
  }

  /** Settles when nothing is left but layers. */
  async settled(): Promise<void> {
    await this.#home.forgetBlanks()
    await this.#removals.settled()
  }

  close(): Promise<void> {
    return this.#removals.close()
  }

  /** Removes the layer, and each removed ancestor that only it had kept. */
  #discard(entry: Entry, alongside: Alongside): void {
    const { id, parent } = entry
    const away = `${REMOVAL_PREFIX}${basename(this.#home.draft())}`
    const steps = alongside(id)
    const rename = { do: 'rename', from: this.pathOf(id), to: away } as const
    this.#home.runHere([rename, ...steps])
    this.#entries.delete(id)
    this.#removals.start(this.#home.absolute(away))
    const above = this.#count(parent, -1)
    if (above?.removed === true && above.children === 0) {
      this.#discard(above, alongside)
    }
  }

  #sealing(id: LayerId): readonly Step[] {
    if (this.isSealed(id)) return []
    return [{ do: 'mark', path: join(this.pathOf(id), SEALED) }]
  }

  #setSealed(id: LayerId): void {
    const entry = this.#entries.get(id)
    if (entry !== undefined) entry.sealed = true
  }

  #count(id: LayerId, difference: 1 | -1): Entry | undefined {
    const entry = this.#entries.get(id)
    if (entry !== undefined) entry.children += difference
    return entry
  }

  async #read(): Promise<void> {
    for (const record of await readLayerFolders(this.#home.path)) {
      this.#entries.set(record.id, { ...record, children: 0 })
    }
    for (const { parent } of this.#entries.values()) this.#count(parent, 1)
    for (const entry of this.#entries.values()) {
      // The process died after the last child went and before this one did.
      if (entry.removed && entry.children === 0) {
        this.#discard(entry, () => [])
      }
    }
  }
}

interface Beginning {
  readonly draft: string
  readonly begun: readonly Step[]
  readonly next: Blank | undefined
}

/** What else must go, in the same go, when the directory of a layer goes. */
export type Alongside = (id: LayerId) => readonly Step[]

function taken(id: LayerId): string {
  return `Layer "${id}" already exists`
}
