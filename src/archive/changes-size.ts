import type { TreeSource } from './tree-source.ts'
import { treeThreads } from './tree-threads.ts'

/**
 * The bytes of all files that were added or modified, as Docker counts them: each
 * file once, however many of its names changed, links by the length of their
 * target, and directories not at all.
 *
 * @throws NotSupportedError for an upper directory that refers to its lowers.
 */
export async function sizeOfChanges(source: TreeSource): Promise<number> {
  return treeThreads.use(({ thread }) => thread.call('size', source))
}
