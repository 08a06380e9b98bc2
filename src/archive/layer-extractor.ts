import { InvalidArgumentError } from '../base/errors.ts'
import type { ConfinedRoot } from '../linux/confined-root.ts'
import { ArchiveBudget } from './archive-budget.ts'
import { AufsLinks } from './aufs-links.ts'
import { RingCutError } from './byte-ring.ts'
import { removeBelow } from './confined-removal.ts'
import { extractionError } from './extraction-error.ts'
import type { IdMaps } from './id-map.ts'
import type { Lane } from './lane.ts'
import { type LaneEyes, LanePlan, type Turn } from './lane-plan.ts'
import { type LayerEntry, readLayerEntry } from './layer-entry.ts'
import type { ArchiveLimits } from './limits.ts'
import { MadePaths } from './made-paths.ts'
import type { OverlayLowers } from './overlay-lowers.ts'
import { joinPath, nameOf, parentOf, type PathString } from './path-bytes.ts'
import type { TarEntry } from './tar/tar-entry.ts'
import type { TarSink } from './tar/tar-reader.ts'
import { TreeWriter } from './tree-writer.ts'

export interface LayerExtractorOptions {
  readonly idMaps: IdMaps
  readonly limits: ArchiveLimits
  /** There is nothing below, and the tree is empty. */
  readonly isFresh: boolean
  /** The tree is overlay's upper directory, and its xattrs are not the layer's. */
  readonly isUpper: boolean
  /**
   * What is below that upper directory depends on all that came before, and is known
   * to the first lane: it makes the directories, and the others follow it into them.
   */
  readonly isLed?: boolean
  /** What is below that upper directory, for the first lane. */
  readonly lowers?: OverlayLowers | undefined
  /** Which part of the entries is this extractor's. */
  readonly lane: Lane
}

/**
 * A lane comes to an entry, then knows whose turn it is, and then does its part. In
 * between it may say that the first lane does it alone; or the first, to those that
 * it leads, that the directory is there, and no link on the way to it.
 */
const STEPS = 3
const ALONE = 1
const READY = 2

/**
 * Applies a layer to the tree that shows what is below it: entries are made,
 * whiteouts delete. A deletion takes away what came earlier in the same layer as
 * well, as Docker's does; an opaque marker leaves that, wherever it stands.
 */
export class LayerExtractor implements TarSink, Disposable {
  readonly #root: ConfinedRoot
  readonly #budget: ArchiveBudget
  readonly #isUpper: boolean
  readonly #isLed: boolean
  readonly #writer: TreeWriter
  readonly #aufsLinks: AufsLinks
  /** What is this layer's own; nobody asks where nothing is below. */
  readonly #made: MadePaths | undefined
  readonly #lane: Lane
  readonly #plan: LanePlan
  readonly #eyes: LaneEyes
  #entry: TarEntry | undefined
  #step = 0
  /** How far the first lane must be before anything depends on what it does. */
  #following = 0

  constructor(root: ConfinedRoot, options: LayerExtractorOptions) {
    const { limits, lane, isFresh, isLed = false } = options
    this.#isUpper = options.isUpper
    this.#isLed = isLed
    this.#root = root
    this.#budget = new ArchiveBudget(limits)
    this.#lane = lane
    this.#plan = new LanePlan(lane.count, isLed)
    this.#writer = new TreeWriter(root, {
      ...options,
      // Overlay's upper directory is empty when a layer begins.
      isFresh: isFresh || options.lowers !== undefined,
      describes: lane.isFirst,
    })
    this.#aufsLinks = new AufsLinks(root, this.#writer)
    this.#made = isFresh || !lane.isFirst ? undefined : new MadePaths()
    this.#eyes = {
      meet: () => {
        lane.awaitOthers(this.#step)
        this.#writer.directories.lookAgain()
      },
      isDirect: (directory) => this.#isDirect(directory),
    }
  }

  entry(entry: TarEntry): void {
    this.#entry = entry
    this.#step += STEPS
    this.#lane.arrive(this.#step)
    this.#naming(() => {
      this.#budget.count(entry)
      if (this.#isUpper) refuseOverlayXattrs(entry)
      const read = readLayerEntry(entry)
      if (this.#lane.count === 1) this.#follow(entry, read)
      else this.#takeTurn(entry, read)
    })
  }

  data(bytes: Buffer, position: number): void {
    this.#naming(() => this.#writer.write(bytes, position))
  }

  end(): void {
    this.#naming(() => this.#writer.close())
  }

  /** All entries have come. Answers the bytes of the files that were made. */
  finish(): number {
    this.#lane.arriveAtEnd()
    if (this.#lane.isFirst) {
      this.#lane.awaitOthersAtEnd()
      this.#aufsLinks.remove()
      this.#writer.directories.finish()
    }
    return this.#writer.bytes - this.#aufsLinks.bytes
  }

  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]()
  }

  #takeTurn(entry: TarEntry, read: LayerEntry): void {
    const lane = this.#lane
    const turn = this.#plan.next(entry, read, this.#eyes)
    if (turn === 'first') {
      this.#following = this.#step + STEPS
      this.#writer.directories.lookAgain()
      lane.arrive(this.#step + ALONE)
      // They come to the same decision only as long as nothing has changed.
      if (lane.isFirst) lane.awaitOthers(this.#step + ALONE)
    } else {
      lane.awaitLane(0, this.#following)
    }
    if (this.#isMine(turn)) {
      this.#awaitDirectory(read)
      this.#follow(entry, read)
    } else if (lane.isFirst && read.action === 'make') {
      this.#leave(read.path)
    }
  }

  #isMine(turn: Turn): boolean {
    const { isFirst, number } = this.#lane
    if (turn === 'first') return isFirst
    if (turn === 'all') return isFirst || !this.#isLed
    return turn === number
  }

  /** Of lanes that are led the first one knows, and tells by how far it comes. */
  #isDirect(directory: PathString): boolean {
    const lane = this.#lane
    if (!this.#isLed) {
      lane.awaitLane(0, this.#following)
      return this.#writer.directories.isDirect(directory)
    }
    if (lane.isFirst) {
      const { directories } = this.#writer
      if (!directories.isDirect(directory)) return false
      directories.enter(directory)
      lane.arrive(this.#step + READY)
      return true
    }
    // Where it has to be alone it waits until all have seen so.
    return lane.awaitLane(0, this.#step + ALONE) !== this.#step + ALONE
  }

  /** A lane that is led goes only where the first has been. */
  #awaitDirectory(read: LayerEntry): void {
    if (!this.#isLed || this.#lane.isFirst || read.action !== 'make') return
    if (this.#writer.directories.isIn(parentOf(read.path))) return
    this.#lane.awaitLane(0, this.#step + READY)
  }

  /** Another lane makes what is to be at `path`. */
  #leave(path: PathString): void {
    const { directories } = this.#writer
    if (this.#isLed) {
      directories.enter(parentOf(path))
      directories.madeOther(nameOf(path))
      this.#lane.arrive(this.#step + READY)
    }
    directories.replaced(path)
    this.#made?.add(path)
  }

  #follow(entry: TarEntry, read: LayerEntry): void {
    switch (read.action) {
      case 'make':
        this.#writer.make(entry, read.path)
        this.#remember(read.path)
        break
      case 'delete':
        this.#writer.directories.delete(read.path)
        break
      case 'hide':
        this.#hide(read.path)
        break
      case 'keep':
        this.#aufsLinks.keep(entry, read.name)
        break
      case 'link-kept':
        this.#aufsLinks.link(read.path, read.name)
        this.#remember(read.path)
        break
      case 'skip':
        break
      // no default: every action is here
    }
  }

  #hide(directory: PathString): void {
    const { directories } = this.#writer
    directories.goTo(directory)
    const made = this.#made
    if (made === undefined) return
    removeBelow(this.#root, directories.here, (path) => made.has(path))
    directories.hide()
    directories.comeBack()
    made.add(directories.here)
  }

  /** By the path where it really is, whatever links led there. */
  #remember(path: PathString): void {
    if (path === '') return
    this.#made?.add(joinPath(this.#writer.directories.here, nameOf(path)))
  }

  #naming(task: () => void): void {
    try {
      task()
    } catch (error) {
      if (this.#entry === undefined || error instanceof RingCutError)
        throw error
      throw extractionError(this.#entry.name, error)
    }
  }
}

/** @throws InvalidArgumentError for an xattr by which overlay would be fooled. */
function refuseOverlayXattrs({ xattrs }: TarEntry): void {
  for (const name of xattrs.keys()) {
    if (!/^(?:trusted|user)\.overlay\./.test(name)) continue
    throw new InvalidArgumentError(
      `A layer cannot bring the extended attribute "${name}", which is overlay's own`,
    )
  }
}
