import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { busyboxRoot, copyProgram } from './images.ts'
import { DOCKER } from './private-host.ts'

const run = promisify(execFile)

/** What a dockerd consists of. */
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
  await addDocker(root)
}

/** Adds this machine's Docker, with its client, to `root`. */
export async function addDocker(root: string): Promise<void> {
  await copyProgram(DOCKER, root, 'bin')
  for (const program of PROGRAMS) {
    const { stdout: path } = await run('sh', [
      '-c',
      `PATH=$PATH:/usr/sbin command -v ${program}`,
    ])
    await copyProgram(path.trim(), root, 'bin')
  }
}
