import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { command } from './command.ts'

/** How each filesystem is made: complete, so that nothing is left for later. */
const MAKE = {
  ext4: [
    'mkfs.ext4',
    '-q',
    '-F',
    '-E',
    'lazy_itable_init=0,lazy_journal_init=0',
  ],
  xfs: ['mkfs.xfs', '-q', '-f'],
  btrfs: ['mkfs.btrfs', '-q', '-f'],
} as const

export type Filesystem = keyof typeof MAKE

/**
 * A fresh filesystem, with a journal, on a loop device over memory. The disk
 * beneath is the same for both sides, and its speed is not what is measured.
 */
export class Disk implements AsyncDisposable {
  readonly path: string
  readonly #image: string

  private constructor(path: string, image: string) {
    this.path = path
    this.#image = image
  }

  /** @param scratch A folder on tmpfs. */
  static async make(
    scratch: string,
    name: string,
    filesystem: Filesystem,
    gibibytes = 4,
  ): Promise<Disk> {
    const disk = new Disk(join(scratch, name), join(scratch, `${name}.img`))
    await fs.mkdir(disk.path)
    await fs.writeFile(disk.#image, '')
    await fs.truncate(disk.#image, gibibytes * 1024 ** 3)
    const [make, ...options] = MAKE[filesystem]
    await command(make, ...options, disk.#image)
    await command('mount', '-o', 'loop', disk.#image, disk.path)
    return disk
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await command('umount', '--recursive', '--lazy', this.path)
    await fs.rmdir(this.path)
    await fs.unlink(this.#image)
  }
}
