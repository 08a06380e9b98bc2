import { unmount } from './mount.ts'
import { mountsBelow } from './mountinfo.ts'

/** Detaches whatever is mounted at `directory` and beneath it, deepest first. */
export async function unmountBelow(directory: string): Promise<void> {
  for (const mountpoint of await mountsBelow(directory)) {
    await unmount(mountpoint)
  }
}
