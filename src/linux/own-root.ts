import * as fs from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import type { ConfinedRoot } from './confined-root.ts'
import { cPath, declare, systemError } from './libc.ts'

const CLONE_FS = 0x200
const PATH_MAX = 4096

const unshare = declare('unshare', ['int'])
const chroot = declare('chroot', ['const char *'])
const chdir = declare('chdir', ['const char *'])
const fchdir = declare('fchdir', ['int'])
const umask = declare('umask', ['unsigned int'])
// Of libc's getcwd and the kernel's, only the kernel's tells the length.
const getcwd = declare('syscall', ['long', 'void *', 'size_t'], 'long')
const SYS_GETCWD = process.arch === 'arm64' ? 17 : 79

/** Whether this thread shares its root with no other any more. */
let isApart = false

/** Whether this thread may be given a root of its own. */
export function mayHaveOwnRoot(): boolean {
  if (isMainThread) return false
  try {
    openOwnRoot('/')[Symbol.dispose]()
    return true
  } catch {
    return false
  }
}

/**
 * Makes the directory at `path` the root of this thread, and of no other, until
 * the root is disposed of: links and `..` cannot lead out because there is no out.
 *
 * Node's pool of threads does not come along, so only synchronous calls may be
 * made meanwhile, and whatever they need from the host must be loaded before.
 *
 * @throws the system's error: EPERM where chroot(2) is not allowed.
 */
export function openOwnRoot(path: string): ConfinedRoot {
  if (isMainThread) throw new Error('The main thread keeps the host’s root')
  if (!isApart) {
    // From here on this thread's root, working directory and umask are its own.
    unshare(CLONE_FS)
    umask(0)
    isApart = true
  }
  // By which it finds its way out again. A thread that kept it would leave it open.
  const host = fs.openSync(
    '/',
    fs.constants.O_RDONLY | fs.constants.O_DIRECTORY,
  )
  try {
    chroot(path)
    chdir('/')
    return new OwnRoot(host)
  } catch (error) {
    fs.closeSync(host)
    throw error
  }
}

class OwnRoot implements ConfinedRoot {
  readonly umask = 0
  readonly #host: number
  /** Every way back to the root ends here, whatever has become of the tree. */
  #isAtRoot = true

  constructor(hostRoot: number) {
    this.#host = hostRoot
  }

  enter(path: string): void {
    if (path === '' && this.#isAtRoot) return
    chdir(cPath(Buffer.from(`/${path}`, 'latin1')))
    this.#isAtRoot = path === ''
  }

  here(): string {
    if (this.#isAtRoot) return ''
    const length = getcwd.attempt(SYS_GETCWD, scratch, scratch.length)
    if (length < 0) throw systemError(-length, 'getcwd')
    // A slash in front, a NUL at the end.
    return scratch.toString('latin1', 1, length - 1)
  }

  at(name: string): string {
    return name
  }

  reach(directory: string, name: string, use: (path: string) => void): void {
    const back = this.here()
    this.enter(directory)
    // Without the links on the way, which `use` may replace.
    const real = this.here()
    this.enter(back)
    use(`/${real}/${name}`)
  }

  [Symbol.dispose](): void {
    fchdir(this.#host)
    chroot('.')
    fs.closeSync(this.#host)
  }
}

const scratch = Buffer.alloc(PATH_MAX)
