import { InvalidArgumentError, isErrno, messageOf } from '../base/errors.ts'
import type { ConfinedRoot } from '../linux/confined-root.ts'
import { ArchiveBudget } from './archive-budget.ts'
import { CompiledFilter } from './compiled-filter.ts'
import { entryPath } from './entry-path.ts'
import { extractionError } from './extraction-error.ts'
import type { FilterSpec } from './filter-spec.ts'
import type { IdMaps } from './id-map.ts'
import type { ImportResult, SkippedEntry } from './import-result.ts'
import type { ArchiveLimits } from './limits.ts'
import { describePath, type PathString, toPathString } from './path-bytes.ts'
import type { TarEntry } from './tar/tar-entry.ts'
import type { TarSink } from './tar/tar-reader.ts'
import { TreeWriter } from './tree-writer.ts'

export interface TreeExtractorOptions {
  readonly idMaps: IdMaps
  readonly limits: ArchiveLimits
  readonly isFresh: boolean
  readonly filter?: FilterSpec | undefined
}

/** However much is skipped, so much is told. */
const MOST_TOLD = 1000

/** System errors that say that this thing cannot be here, and others can. */
const NOT_HERE = ['EPERM', 'EOPNOTSUPP', 'ENOTSUP']

const SPECIAL = new Set(['character-device', 'block-device', 'fifo'])

/**
 * Unpacks an archive into a tree, over what is there. Names that begin with `.wh.`
 * are names like others, since this is no layer. What the filter lets pass goes to
 * where the filter says; a name with `..` in it is refused, wherever it would lead.
 */
export class TreeExtractor implements TarSink, Disposable {
  readonly #writer: TreeWriter
  readonly #filter: CompiledFilter
  readonly #budget: ArchiveBudget
  readonly #skipped: SkippedEntry[] = []
  #entry: TarEntry | undefined
  #entries = 0

  constructor(root: ConfinedRoot, options: TreeExtractorOptions) {
    this.#writer = new TreeWriter(root, { ...options, describes: true })
    this.#filter = CompiledFilter.compile(options.filter)
    this.#budget = new ArchiveBudget(options.limits)
  }

  entry(entry: TarEntry): void {
    this.#entry = entry
    this.#naming(() => {
      this.#budget.count(entry)
      refuseClimbing(entry.name)
      const path = entryPath(entry.name)
      if (!this.#filter.excludes(path)) this.#make(entry, path)
    })
  }

  data(bytes: Buffer, position: number): void {
    this.#naming(() => this.#writer.write(bytes, position))
  }

  end(): void {
    this.#naming(() => this.#writer.close())
  }

  /** All entries have come. */
  finish(): ImportResult {
    this.#writer.directories.finish()
    return {
      entries: this.#entries,
      bytes: this.#writer.bytes,
      skipped: this.#skipped,
    }
  }

  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]()
  }

  #make(entry: TarEntry, path: PathString): void {
    const target =
      entry.type === 'hardlink' ? this.#linkTarget(entry) : entry.linkName
    if (target === undefined) {
      const left = describePath(entry.linkName)
      this.#skip(entry, `it is a hard link to ${left}, which was left out`)
      return
    }
    try {
      const renamed = this.#filter.rename(path) ?? ''
      this.#writer.make({ ...entry, linkName: target }, renamed)
      this.#entries++
    } catch (error) {
      const isSpecial = SPECIAL.has(entry.type)
      if (!isSpecial || !isErrno(error, ...NOT_HERE)) throw error
      this.#skip(entry, messageOf(error))
    }
  }

  /** A hard link's other name as it is called here, if that is let pass. */
  #linkTarget({ linkName }: TarEntry): Buffer | undefined {
    refuseClimbing(linkName)
    const path = entryPath(linkName)
    if (this.#filter.excludes(path)) return undefined
    return Buffer.from(this.#filter.rename(path) ?? '', 'latin1')
  }

  #skip({ name }: TarEntry, reason: string): void {
    if (this.#skipped.length >= MOST_TOLD) return
    this.#skipped.push({ name: name.toString(), reason })
  }

  #naming(task: () => void): void {
    try {
      task()
    } catch (error) {
      if (this.#entry === undefined) throw error
      throw extractionError(this.#entry.name, error)
    }
  }
}

function refuseClimbing(name: Buffer): void {
  if (!toPathString(name).split('/').includes('..')) return
  throw new InvalidArgumentError(
    `Tar entry ${describePath(name)} would leave the root`,
  )
}
