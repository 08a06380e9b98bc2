import { mount, unmount } from '../linux/mount.ts'
import { readMountInfo } from '../linux/mountinfo.ts'

export interface ViewOptions {
  readonly readonly: boolean
}

/**
 * Shows `directory` at `view` too, once, and read-only from the first time that
 * this is asked for.
 *
 * The read-only bind goes over a writable one rather than in its place, so that
 * the path never shows the empty directory beneath. Containers that took the
 * writable one keep it.
 */
export async function showView(
  directory: string,
  view: string,
  { readonly }: ViewOptions,
): Promise<void> {
  const present = (await mountsAt(view)).at(-1)
  if (present !== undefined && (!readonly || present === 'ro')) return
  const options = readonly ? ['ro'] : []
  try {
    mount({ type: 'bind', source: directory, options }, view)
  } catch (error) {
    // Making a bind read-only is a second step, which may fail after the first.
    if (present === undefined) await hideView(view)
    throw error
  }
}

export async function hideView(view: string): Promise<void> {
  for (const _access of await mountsAt(view)) await unmount(view)
}

/** How what is mounted at `view` may be used, the topmost last. */
async function mountsAt(view: string): Promise<readonly ('ro' | 'rw')[]> {
  return (await readMountInfo())
    .filter(({ mountpoint }) => mountpoint === view)
    .map(({ options }) => (options.includes('ro') ? 'ro' : 'rw'))
}
