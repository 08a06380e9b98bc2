import * as fs from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isErrno } from '../../src/base/errors.ts'
import { debianPackages } from './debian-packages.ts'

/** A Docker in a folder of its own. */
export interface DockerRelease {
  /** What goes first in PATH, with a file for each of its programs. */
  readonly programs: string
  /** The client's directory, with its plugins; none for the machine's own. */
  readonly config?: string
}

const PACKAGES = [
  'docker.io',
  'docker-cli',
  'containerd',
  'docker-buildx',
  'docker-compose',
]

/** What dockerd runs; Debian's newer runc wants a newer C library. */
const PROGRAMS = [
  'sbin/dockerd',
  'bin/docker',
  'bin/containerd',
  'bin/containerd-shim-runc-v2',
]

/** The Docker of a suite of Debian, which runs here with this machine's runc. */
export async function dockerOf(suite: string): Promise<DockerRelease> {
  const root = await debianPackages(suite, PACKAGES)
  const programs = join(root, 'programs')
  const config = join(root, 'config')
  await fs.mkdir(programs, { recursive: true, mode: 0o755 })
  await fs.mkdir(config, { recursive: true, mode: 0o755 })
  for (const program of PROGRAMS) {
    await link(join(root, 'usr', program), join(programs, basename(program)))
  }
  await link('/usr/bin/tini-static', join(programs, 'docker-init'))
  await link(
    join(root, 'usr/libexec/docker/cli-plugins'),
    join(config, 'cli-plugins'),
  )
  return { programs, config }
}

/** Two tests may do this at once, with the same outcome. */
async function link(target: string, path: string): Promise<void> {
  try {
    await fs.symlink(target, path)
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
  }
}
