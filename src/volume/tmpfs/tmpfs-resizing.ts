import { join } from 'node:path'
import { InvalidArgumentError, isErrno } from '../../base/errors.ts'
import { mountLater } from '../../linux/mount.ts'
import { isMountpoint } from '../../linux/mountinfo.ts'
import { DATA } from '../folder-layout.ts'
import type { KeptVolume, ResizingKeeping } from '../volume-keeping.ts'
import type { Resized } from '../volume-storer.ts'

/** Capacities of what is in memory, which may change at any time. */
export class TmpfsResizing implements ResizingKeeping {
  readonly grow = true
  readonly shrink = true

  async resize({ name, directory, capacity }: KeptVolume): Promise<Resized> {
    const data = join(directory, DATA)
    if (!(await isMountpoint(data))) return 'when it is mounted'
    const options = ['remount', `size=${capacity ?? 0}`]
    try {
      await mountLater({ type: 'tmpfs', source: 'stowage', options }, data)
    } catch (error) {
      if (!isErrno(error, 'EINVAL')) throw error
      throw new InvalidArgumentError(
        `Volume "${name}" cannot have a capacity of ${capacity} bytes: it holds more`,
        { cause: error },
      )
    }
    return 'now'
  }
}
