import * as fs from 'node:fs'
import type { ConfinedRoot } from './confined-root.ts'
import { cPath, declare } from './libc.ts'

const { O_DIRECTORY, O_RDONLY } = fs.constants
const O_PATH = 0o10000000
const O_CLOEXEC = 0o2000000
const RESOLVE_IN_ROOT = 0x10n
/** The same on every architecture, as all calls of its time are. */
const SYS_OPENAT2 = 437

const syscall = declare(
  'syscall',
  ['long', 'int', 'const char *', 'const void *', 'size_t'],
  'long',
)

/**
 * Confines to the directory at `path` by openat2(2): each directory is opened with
 * `RESOLVE_IN_ROOT`, and what is done in it goes through its descriptor. It needs
 * no privilege, works on any thread, and takes a few calls more than `openOwnRoot`.
 */
export function openInRoot(path: string): ConfinedRoot {
  return new InRoot(path)
}

class InRoot implements ConfinedRoot {
  readonly umask = process.umask()
  readonly #root: number
  readonly #rootPath: string
  #entered: number

  constructor(path: string) {
    this.#root = fs.openSync(path, O_PATH | O_DIRECTORY | O_RDONLY)
    this.#rootPath = realPath(this.#root)
    this.#entered = this.#open('')
  }

  enter(path: string): void {
    const entered = this.#open(path)
    fs.closeSync(this.#entered)
    this.#entered = entered
  }

  here(): string {
    return realPath(this.#entered)
      .slice(this.#rootPath.length)
      .replace(/^\//, '')
  }

  at(name: string): string {
    return `/proc/self/fd/${this.#entered}/${name}`
  }

  reach(directory: string, name: string, use: (path: string) => void): void {
    const opened = this.#open(directory)
    try {
      use(`/proc/self/fd/${opened}/${name}`)
    } finally {
      fs.closeSync(opened)
    }
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#entered)
    fs.closeSync(this.#root)
  }

  #open(path: string): number {
    const how = BigUint64Array.of(
      BigInt(O_PATH | O_DIRECTORY | O_CLOEXEC),
      0n,
      RESOLVE_IN_ROOT,
    )
    return syscall(
      SYS_OPENAT2,
      this.#root,
      cPath(Buffer.from(path === '' ? '.' : path, 'latin1')),
      Buffer.from(how.buffer),
      how.byteLength,
    )
  }
}

function realPath(descriptor: number): string {
  const link = `/proc/self/fd/${descriptor}`
  return fs.readlinkSync(link, 'latin1')
}
