import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { mountsBelow } from '../../src/linux/mountinfo.ts'
import { unmount } from '../../src/linux/mount.ts'
import { needs } from '../../src/conformance/capabilities.ts'

const run = promisify(execFile)

export type FilesystemKind = 'ext4' | 'xfs' | 'btrfs'

const MAKE = {
  ext4: ['mkfs.ext4', '-q', '-F'],
  xfs: ['mkfs.xfs', '-q', '-f'],
  btrfs: ['mkfs.btrfs', '-q', '-f'],
} as const satisfies Record<FilesystemKind, readonly string[]>

/** A filesystem of its own, in a sparse file on a loop device. */
export interface LoopFilesystem {
  /** Where it is mounted. */
  readonly path: string
  /** The sparse file that it lives in. */
  readonly image: string
  /** Unmounts it, with all that is mounted on it, and deletes it. */
  close(): Promise<void>
}

/** Makes and mounts a filesystem of `kind` that may grow to `size`, such as `4G`. */
export async function loopFilesystem(
  kind: FilesystemKind,
  size: string = '4G',
): Promise<LoopFilesystem> {
  const directory = await fs.mkdtemp(join(tmpdir(), `stowage-${kind}-`))
  await fs.chmod(directory, 0o711)
  const image = join(directory, 'image')
  const path = join(directory, 'mounted')
  await fs.mkdir(path)
  await run('truncate', ['--size', size, image])
  const [program, ...options] = MAKE[kind]
  await run(program, [...options, image])
  await run('mount', ['-o', 'loop', image, path])
  return {
    path,
    image,
    async close() {
      for (const point of await mountsBelow(path)) await unmount(point)
      await fs.rm(directory, { recursive: true, force: true })
    },
  }
}

/**
 * Gives the suite one filesystem, made before its first test. Its tests share it:
 * `useTempDir(() => disk.path)` keeps them apart.
 */
export function useLoopFilesystem(
  kind: FilesystemKind,
  size?: string,
): { readonly path: string } {
  needs('root', 'loop', kind)
  let filesystem: LoopFilesystem | undefined
  before(async function () {
    this.timeout(60_000)
    filesystem = await loopFilesystem(kind, size)
  })
  after(() => filesystem?.close())
  return {
    get path() {
      return filesystem?.path ?? ''
    },
  }
}
