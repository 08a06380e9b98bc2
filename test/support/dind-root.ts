import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { busyboxRoot } from './images.ts'

const run = promisify(execFile)

/** What a Docker in a container runs; busybox has the rest. */
const PROGRAMS = ['dockerd', 'containerd', 'containerd-shim-runc-v2', 'runc']

/**
 * Makes `root` what a Docker in a container lives in: this machine's own Docker with
 * the libraries that it needs. A debootstrap would take a minute for the same.
 */
export async function dindRoot(root: string): Promise<void> {
  await busyboxRoot(root)
  for (const name of ['mount', 'kill']) {
    await fs.symlink('busybox', join(root, 'bin', name))
  }
  for (const name of ['run', 'proc', 'sys', 'dev', 'inner', 'var/lib/docker']) {
    await fs.mkdir(join(root, name), { recursive: true, mode: 0o755 })
  }
  for (const program of PROGRAMS) {
    const { stdout: path } = await run('sh', [
      '-c',
      `PATH=$PATH:/usr/sbin command -v ${program}`,
    ])
    await fs.copyFile(path.trim(), join(root, 'bin', program))
    const { stdout: linked } = await run('ldd', [path.trim()])
    for (const [library] of linked.matchAll(/\/\S+/g)) {
      await fs.mkdir(join(root, dirname(library)), { recursive: true })
      await fs.copyFile(library, join(root, library))
    }
  }
}
