import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { clearAway } from '../../src/conformance/clear-away.ts'
import { debianRoot } from './debian-root.ts'
import { addDocker } from './dind-root.ts'
import { addNode } from './node-root.ts'

const run = promisify(execFile)

/** What is in the folder of the program and not in a clone of it. */
const NOT_CLONED = ['node_modules', 'dist', '.git']

/** There is no network here that a container could be given. */
const DOCKER_WITHOUT_NETWORK = `#!/bin/sh
case $1 in run) shift; set -- run --network=none "$@" ;; esac
exec /bin/docker "$@"
`

/** Makes "$1" the root of everything, and becomes Docker as the first process. */
const BOOT = `
set -e
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mkdir old
pivot_root . old
umount --lazy /old
mount --make-rshared /
exec dockerd --bridge=none --iptables=false --ip6tables=false >/var/log/docker 2>&1
`

/** Milliseconds in which Docker must answer. */
const START_DEADLINE = 60_000

/**
 * A machine on which nobody has worked yet: a minimal Debian with Docker and Node,
 * and a clone of the program in the home of root. No process and no mount of it
 * outlives its Docker.
 */
export class CleanMachine {
  readonly #root: string
  readonly #npm: Readonly<Record<string, string>>
  readonly #process: ChildProcess

  private constructor(root: string, npm: Readonly<Record<string, string>>) {
    this.#root = root
    this.#npm = npm
    const namespaces = ['--mount', '--propagation=private', '--pid', '--fork']
    this.#process = spawn(
      'unshare',
      [...namespaces, 'sh', '-c', BOOT, 'sh', root],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    )
  }

  static async boot(): Promise<CleanMachine> {
    const root = await fs.mkdtemp(join(tmpdir(), 'stowage-clean-'))
    await fs.chmod(root, 0o755)
    await run('tar', ['-C', root, '--numeric-owner', '-xf', await debianRoot()])
    await addDocker(root)
    const npm = await addNode(root)
    const docker = join(root, 'usr/local/bin/docker')
    await fs.writeFile(docker, DOCKER_WITHOUT_NETWORK, { mode: 0o755 })
    for (const file of ['etc/hosts', 'etc/resolv.conf']) {
      await fs.copyFile(join('/', file), join(root, file))
    }
    await fs.cp('.', join(root, 'root/stowage'), {
      recursive: true,
      filter: (path) => !NOT_CLONED.includes(basename(path)),
    })
    const machine = new CleanMachine(root, npm)
    try {
      await machine.#untilDockerAnswers()
    } catch (error) {
      await machine.close()
      throw error
    }
    return machine
  }

  /** Where a file of the machine is found on this one. */
  path(path: string): string {
    return join(this.#root, path)
  }

  /** What the lines say, typed in the folder of the program. */
  async type(lines: string): Promise<string> {
    const { pid } = this.#process
    const env = Object.entries({
      ...this.#npm,
      HOME: '/root',
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    }).map(([name, value]) => `${name}=${value}`)
    const { stdout } = await run(
      'nsenter',
      [
        `--mount=/proc/${pid}/ns/mnt`,
        `--pid=/proc/${pid}/ns/pid_for_children`,
        'env',
        '--ignore-environment',
        ...env,
        'sh',
        '-ec',
        `cd /root/stowage\n${lines}`,
      ],
      { maxBuffer: 1 << 24 },
    )
    return stdout.trim()
  }

  async close(): Promise<void> {
    if (this.#process.exitCode === null) {
      const ended = once(this.#process, 'exit')
      await this.type('kill 1')
      await ended
    }
    await clearAway(this.#root)
  }

  async #untilDockerAnswers(): Promise<void> {
    const deadline = Date.now() + START_DEADLINE
    for (;;) {
      try {
        await this.type('docker info')
        return
      } catch (error) {
        if (this.#process.exitCode !== null || Date.now() > deadline) {
          const log = await fs.readFile(this.path('var/log/docker'), 'utf8')
          throw new Error(`Docker did not start: ${log}`, { cause: error })
        }
        await sleep(100)
      }
    }
  }
}
