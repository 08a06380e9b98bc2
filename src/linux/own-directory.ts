import { declare } from './libc.ts'

const CLONE_FS = 0x200

const unshare = declare('unshare', ['int'])
const chdir = declare('chdir', ['const char *'])

/**
 * Gives the calling thread a working directory of its own and makes it `path`.
 *
 * From then on relative paths in its synchronous calls begin there. The pool that
 * runs asynchronous calls, and all other threads, stay where they were.
 */
export function enterDirectory(path: string): void {
  unshare(CLONE_FS)
  chdir(path)
}
