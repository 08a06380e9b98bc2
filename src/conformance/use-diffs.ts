import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { ChangeKind } from '../archive/changes.ts'
import { type Driver, NO_PARENT } from '../graph/driver.ts'
import {
  change,
  device,
  directory,
  fifo,
  file,
  hardLink,
  type Portrait,
  portray,
  type PortraitOptions,
  remove,
  type Step,
  symlink,
} from './tree.ts'
import type { DriverSuite } from './use-driver.ts'

const AS_A_LAYER: PortraitOptions = { wholeSeconds: true }

/** What tests do with a driver that knows changes and layer tars. */
export interface Diffs {
  /** The layer as a layer tar can tell of it. */
  readonly look: (id: string) => Promise<Record<string, Portrait>>
  readonly diff: (id: string, parent: string) => Promise<Buffer>
  readonly apply: (
    id: string,
    parent: string,
    ...tar: Buffer[]
  ) => Promise<number>
  readonly changes: (
    id: string,
    parent: string,
  ) => Promise<Record<string, ChangeKind>>
  /** A layer without a parent that has every type of file. */
  readonly base: (id: string) => Promise<void>
}

export function useDiffs(suite: DriverSuite<Driver>): Diffs {
  return {
    async look(id) {
      const found = await suite.within(id, (at) => portray(at, AS_A_LAYER))
      const { '.': root, ...others } = found
      // A layer tar does not tell when the root itself was modified.
      return root === undefined
        ? others
        : { ...others, '.': { ...root, mtime: 0n } }
    },
    diff: async (id, parent) => buffer(await suite.driver.diff(id, parent)),
    apply: (id, parent, ...tar) =>
      suite.driver.applyDiff(id, parent, Readable.from(tar)),
    async changes(id, parent) {
      const found: Record<string, ChangeKind> = {}
      for await (const { path, kind } of suite.driver.changes(id, parent)) {
        found[path.toString()] = kind
      }
      return found
    },
    base: (id) => suite.layer(id, NO_PARENT, ...BASE),
  }
}

/** Something of everything, for a layer without a parent. */
const BASE: readonly Step[] = [
  directory('etc', { mode: 0o711, uid: 7, gid: 8 }),
  file('etc/passwd', 'root'),
  file('etc/shadow', 'secret', { mode: 0o4600, uid: 3 }),
  directory('var/lib/deep'),
  file('var/lib/deep/data', 'data'),
  file('var/keep', 'kept'),
  hardLink('var/also', 'var/keep'),
  symlink('link', 'etc/passwd'),
  fifo('pipe', { mode: 0o620 }),
  device('null', 'character', { major: 1, minor: 3 }),
  file('empty'),
]

/** Each kind of change to that. */
export const changed = [
  file('etc/passwd', 'ROOT'),
  remove('etc/shadow'),
  remove('var/lib'),
  directory('var/lib'),
  file('var/lib/new', 'new', { mode: 0o2755 }),
  change('empty', { mode: 0o600 }),
  remove('link'),
  directory('link'),
  file('added', 'x'.repeat(70_000)),
]
