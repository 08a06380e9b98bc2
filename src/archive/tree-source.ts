import { Directory } from '../linux/directory.ts'
import type { ChangeTime } from './difference.ts'
import { LowerView } from './lower-view.ts'
import { TreeWalk, type WalkOptions } from './tree-walk.ts'

/** A tree, and the tree that it is compared with; without one, all was added. */
export interface ComparedTrees {
  readonly tree: string
  readonly parent?: string | undefined
  /**
   * The change time, on its own filesystem's clock, of something made after `tree`
   * had been copied from `parent`. What changed last before it need not be read to
   * see that it is the same.
   */
  readonly copied?: ChangeTime | undefined
  /**
   * Where `tree` is a snapshot of `parent`: the directories, by number, that lead to
   * something which was touched since. All others are passed over.
   */
  readonly touched?: ReadonlySet<bigint> | undefined
}

/** Overlay's own changes: an upper directory, and its lowers, nearest first. */
export interface OverlayTrees {
  readonly upper: string
  readonly lowers: readonly string[]
}

/** Where changes come from, in words that can be sent to another thread. */
export type TreeSource = ComparedTrees | OverlayTrees

/** A walk, and the roots that it keeps open. */
export interface OpenWalk extends Disposable {
  readonly walk: TreeWalk
}

/** Starts a walk over the changes of `source`. */
export function openWalk(
  source: TreeSource,
  options: Omit<WalkOptions, 'below' | 'isUpper' | 'copied'> = {},
): OpenWalk {
  const roots: Directory[] = []
  const open = (path: string): Directory => {
    const directory = Directory.open(path)
    roots.push(directory)
    return directory
  }
  try {
    const walk = walkOf(source, open, options)
    return {
      walk,
      [Symbol.dispose]() {
        walk.close()
        for (const root of roots) root.close()
      },
    }
  } catch (error) {
    for (const root of roots) root.close()
    throw error
  }
}

function walkOf(
  source: TreeSource,
  open: (path: string) => Directory,
  options: WalkOptions,
): TreeWalk {
  if ('upper' in source) {
    const upper = open(source.upper)
    const lowers = source.lowers.map(open)
    const below = lowers.length > 0 ? LowerView.ofLowers(lowers) : undefined
    return new TreeWalk(upper, { ...options, below, isUpper: true })
  }
  const tree = open(source.tree)
  const { parent, copied, touched } = source
  const below =
    parent === undefined ? undefined : LowerView.ofTree(open(parent))
  return new TreeWalk(tree, { ...options, below, copied, touched })
}
