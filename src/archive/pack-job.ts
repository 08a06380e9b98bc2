import { CompiledFilter } from './compiled-filter.ts'
import type { FilterSpec } from './filter-spec.ts'
import type { IdMaps } from './id-map.ts'
import type { PathString } from './path-bytes.ts'
import { TreeEntries } from './tree-entries.ts'
import { TreePacker } from './tree-packer.ts'
import { openWalk, type TreeSource } from './tree-source.ts'
import { WHITEOUT_PREFIX } from './whiteout.ts'

/** What a tar is made of and how, in words that can be sent to another thread. */
export interface PackJob {
  readonly source: TreeSource
  readonly idMaps: IdMaps
  readonly isWritable: boolean
  readonly isExact: boolean
  readonly headersOnly: boolean
  readonly filter?: FilterSpec | undefined
}

/** A tar in the making. */
export interface OpenPack extends Disposable {
  readonly packer: TreePacker
}

/** @throws the system error when a root of the source cannot be opened. */
export function openPack(
  job: PackJob,
  onOmission: (path: PathString, reason: string) => void,
  check?: () => void,
): OpenPack {
  const { source, filter, ...rules } = job
  const compiled = filter && CompiledFilter.compile(filter)
  const opened = openWalk(source, {
    check,
    isSealed: !job.isWritable,
    tellsRoot: job.isExact,
    prunes: (path) =>
      compiled?.prunes(path) === true || (!job.isExact && isWhiteoutName(path)),
  })
  const rename = compiled && renamer(compiled)
  const entries = new TreeEntries(opened.walk, { ...rules, rename, onOmission })
  const packer = new TreePacker(entries, rules)
  return {
    packer,
    [Symbol.dispose]() {
      packer.close()
      opened[Symbol.dispose]()
    },
  }
}

function isWhiteoutName(path: PathString): boolean {
  return path.startsWith(WHITEOUT_PREFIX, path.lastIndexOf('/') + 1)
}

function renamer(
  filter: CompiledFilter,
): (path: PathString) => PathString | undefined {
  return (path) =>
    filter.excludes(path) ? undefined : (filter.rename(path) ?? '')
}
