import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import * as http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { DockerRelease } from './docker-release.ts'
import { clearAway } from '../../src/conformance/clear-away.ts'

const run = promisify(execFile)

/** Another program of that name, without buildx, may come first in PATH. */
export const DOCKER = '/usr/bin/docker'
const DOCKERD = '/usr/sbin/dockerd'
const STOWAGE = join(import.meta.dirname, '../../src/main.js')

/** The host's id of root in containers under `--userns-remap=nobody:nogroup`. */
export const FIRST_MAPPED_ID = 100_000

/**
 * Directories that dockerd, and the manifest of the managed plugin, name by
 * constants, so each host has its own.
 */
const OWN_DIRECTORIES = [
  '/run/docker',
  '/etc/docker',
  '/run/containerd',
  '/var/lib/stowage',
]

/** Who may be whom in a user namespace: likewise. */
const OWN_FILES = {
  '/etc/subuid': `nobody:${FIRST_MAPPED_ID}:65536\n`,
  '/etc/subgid': `nobody:${FIRST_MAPPED_ID}:65536\n`,
}

const START_DEADLINE = 30_000

/** Only the process itself knows the id that it must find in LISTEN_PID. */
const HAND_OVER = ['sh', '-c', 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', 'sh']

export interface StowageOptions {
  /** The program's main file, if it is not the one that was built. */
  readonly program?: string
  /** A listening socket to hand over, as systemd would. */
  readonly descriptor?: number
}

export interface HostOptions {
  /** Another Docker than this machine's. */
  readonly docker?: DockerRelease
  /** Interfaces and ports that no other host shares, the loopback alone. */
  readonly ownNetwork?: boolean
}

export interface DockerdOptions {
  /** What `docker info` calls the storage driver, such as `stowage`. */
  readonly storageDriver?: string
  readonly args?: readonly string[]
}

/** How a line of shell has ended, and what it said. */
export interface ShellResult {
  readonly stdout: string
  readonly stderr: string
  readonly code: number
}

/**
 * A host of its own for one dockerd and one Stowage: a mount namespace in which
 * both run, each to be stopped, killed and started by itself, while mounts stay.
 *
 *     <directory>/run/docker/plugins/stowage.sock
 *     <directory>/docker          dockerd's data root
 *     <directory>/stowage         Stowage's data root
 *     <directory>/*.log           what either has said
 */
export class PrivateHost {
  readonly directory: string
  readonly #holder: ChildProcess
  readonly #docker: DockerRelease | undefined
  readonly #namespaces: readonly ('mnt' | 'net')[]
  #dockerd: ChildProcess | undefined
  #stowage: ChildProcess | undefined
  #commands: Promise<string> | undefined

  private constructor(
    directory: string,
    holder: ChildProcess,
    { docker, ownNetwork }: HostOptions,
  ) {
    this.directory = directory
    this.#holder = holder
    this.#docker = docker
    this.#namespaces = ownNetwork === true ? ['mnt', 'net'] : ['mnt']
  }

  /** @param parent Where the host keeps everything, if it matters which disk. */
  static async open(
    parent: string = tmpdir(),
    options: HostOptions = {},
  ): Promise<PrivateHost> {
    const { ownNetwork = false } = options
    const directory = await fs.mkdtemp(join(parent, 'stowage-host-'))
    // Root of a user namespace must get through to its layers.
    await fs.chmod(directory, 0o711)
    const binds: string[] = []
    for (const target of OWN_DIRECTORIES) {
      await fs.mkdir(target, { recursive: true, mode: 0o755 })
      await fs.mkdir(join(directory, target), { recursive: true })
      binds.push(`mount --bind "${directory}${target}" ${target}`)
    }
    for (const [target, content] of Object.entries(OWN_FILES)) {
      await fs.appendFile(target, '')
      await fs.mkdir(join(directory, 'etc'), { recursive: true })
      await fs.writeFile(join(directory, target), content, { mode: 0o644 })
      binds.push(`mount --bind "${directory}${target}" ${target}`)
    }
    const script = [
      'set -e',
      ...binds,
      'mount --make-rshared /',
      ...(ownNetwork ? ['ip link set lo up'] : []),
      'echo ready',
      'exec sleep infinity',
    ].join('\n')
    const holder = spawn(
      'unshare',
      [
        '--mount',
        '--propagation=private',
        ...(ownNetwork ? ['--net'] : []),
        'sh',
        '-c',
        script,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    await once(holder.stdout, 'data')
    return new PrivateHost(directory, holder, options)
  }

  get socket(): string {
    return join(this.directory, 'run/docker/plugins/stowage.sock')
  }

  get dataRoot(): string {
    return join(this.directory, 'stowage')
  }

  /** Starts Stowage and waits until it answers. */
  async startStowage(
    settings: Readonly<Record<string, string>> = {},
    { program = STOWAGE, descriptor }: StowageOptions = {},
  ): Promise<void> {
    const env = {
      ...process.env,
      STOWAGE_DATA_ROOT: this.dataRoot,
      STOWAGE_ADMIN_SOCKET: join(this.directory, 'admin.sock'),
      ...settings,
    }
    const command = [process.execPath, '--enable-source-maps', program, 'serve']
    this.#stowage = await this.#start(
      'stowage',
      descriptor === undefined ? command : [...HAND_OVER, ...command],
      { env, descriptor },
    )
    await this.#until('stowage', this.#stowage, () => activate(this.socket))
  }

  /** Stops Stowage and waits until it is gone. */
  async stopStowage(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await stop(this.#stowage, signal)
    this.#stowage = undefined
  }

  get stowagePid(): number {
    return this.#stowage?.pid ?? 0
  }

  get dockerdPid(): number {
    return this.#dockerd?.pid ?? 0
  }

  /** Starts dockerd and waits until it answers. */
  async startDockerd({
    storageDriver = 'overlay2',
    args = [],
  }: DockerdOptions = {}): Promise<void> {
    const { directory } = this
    const command = [
      this.#program('dockerd', DOCKERD),
      '--experimental',
      `--data-root=${directory}/docker`,
      `--exec-root=${directory}/exec`,
      `--pidfile=${directory}/docker.pid`,
      `--host=unix://${directory}/docker.sock`,
      `--storage-driver=${storageDriver}`,
      '--bridge=none',
      '--iptables=false',
      '--ip6tables=false',
      ...args,
    ]
    this.#dockerd = await this.#start('dockerd', command, {
      env: this.dockerEnv,
    })
    await this.#until('dockerd', this.#dockerd, async () => {
      await this.docker('info')
    })
  }

  /** Stops dockerd and waits until it is gone. */
  async stopDockerd(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await stop(this.#dockerd, signal)
    this.#dockerd = undefined
    // Both take a dead process for a living one where nobody reaps it.
    for (const pid of ['docker.pid', 'exec/containerd/containerd.pid']) {
      await fs.rm(join(this.directory, pid), { force: true })
    }
  }

  /**
   * What `docker <command> <rest>` prints, trimmed. Rejects with what it complains
   * of. The command is split at its blanks; the rest is passed as it is.
   */
  async docker(command: string, ...rest: readonly string[]): Promise<string> {
    const { stdout } = await run(
      this.dockerProgram,
      [...command.split(' '), ...rest],
      { env: this.dockerEnv, maxBuffer: 1 << 28 },
    )
    return stdout.trim()
  }

  get dockerEnv(): NodeJS.ProcessEnv {
    const { PATH = '' } = process.env
    const { programs, config } = this.#docker ?? {}
    return {
      ...process.env,
      DOCKER_HOST: `unix://${this.directory}/docker.sock`,
      ...(programs !== undefined && { PATH: `${programs}:${PATH}` }),
      ...(config !== undefined && { DOCKER_CONFIG: config }),
    }
  }

  /** The client that belongs to this host's Docker. */
  get dockerProgram(): string {
    return this.#program('docker', DOCKER)
  }

  /** What a program says inside the host's mount namespace. */
  async inside(command: string, ...args: readonly string[]): Promise<string> {
    const { stdout } = await run('nsenter', [
      ...this.#enter(),
      command,
      ...args,
    ])
    return stdout
  }

  /**
   * What a line of shell comes to inside the host, where `stowage` and `docker` are
   * the commands that go with it.
   */
  async shell(line: string, env: NodeJS.ProcessEnv = {}): Promise<ShellResult> {
    // Who enters a mount namespace stands at its root.
    const here = `cd '${this.directory}' && ${line}`
    const child = spawn('nsenter', [...this.#enter(), 'sh', '-c', here], {
      env: { ...(await this.#commandEnv()), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])
    return { stdout, stderr, code: Number(code) }
  }

  async #commandEnv(): Promise<NodeJS.ProcessEnv> {
    this.#commands ??= this.#linkCommands()
    const bin = await this.#commands
    return {
      DOCKER_HOST: this.dockerEnv.DOCKER_HOST,
      PATH: `${bin}:${process.env.PATH}`,
      TZ: 'UTC',
      STOWAGE_DATA_ROOT: this.dataRoot,
      STOWAGE_ADMIN_SOCKET: join(this.directory, 'admin.sock'),
    }
  }

  /** Makes a directory of the commands, and answers where it is. */
  async #linkCommands(): Promise<string> {
    const bin = join(this.directory, 'bin')
    await fs.mkdir(bin, { recursive: true })
    for (const [name, target] of [
      ['stowage', STOWAGE],
      ['docker', DOCKER],
    ] as const) {
      await fs.symlink(target, join(bin, name))
    }
    return bin
  }

  /** What runs a program inside the host's mount namespace, given before it. */
  get entering(): readonly string[] {
    return ['nsenter', ...this.#enter()]
  }

  /** The mountpoints inside the host at `path` or beneath it. */
  async mountsBelow(path: string): Promise<readonly string[]> {
    const mountinfo = await this.inside('cat', '/proc/self/mountinfo')
    return mountinfo
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .filter((point) => point === path || point.startsWith(`${path}/`))
  }

  /** What `name`, `stowage` or `dockerd`, has logged so far. */
  async log(name: 'stowage' | 'dockerd'): Promise<string> {
    return fs.readFile(join(this.directory, `${name}.log`), 'utf8')
  }

  /** Ends both programs and leaves nothing behind. */
  async close(): Promise<void> {
    await this.stopDockerd()
    await this.stopStowage()
    await stop(this.#holder, 'SIGKILL')
    await clearAway(this.directory)
  }

  #enter(): string[] {
    const { pid } = this.#holder
    const flags = { mnt: 'mount', net: 'net' } as const
    return this.#namespaces
      .map((name) => `--${flags[name]}=/proc/${pid}/ns/${name}`)
      .concat('--')
  }

  #program(name: string, own: string): string {
    return this.#docker === undefined ? own : join(this.#docker.programs, name)
  }

  async #start(
    name: string,
    command: readonly string[],
    {
      env = process.env,
      descriptor,
    }: {
      readonly env?: NodeJS.ProcessEnv
      readonly descriptor?: number | undefined
    } = {},
  ): Promise<ChildProcess> {
    const log = await fs.open(join(this.directory, `${name}.log`), 'a')
    // nsenter becomes the program, so its pid is the program's.
    const child = spawn('nsenter', [...this.#enter(), ...command], {
      env,
      stdio: ['ignore', log.fd, log.fd, descriptor ?? 'ignore'],
    })
    await log.close()
    return child
  }

  async #until(
    name: 'stowage' | 'dockerd',
    child: ChildProcess,
    answers: () => Promise<void>,
  ): Promise<void> {
    const deadline = Date.now() + START_DEADLINE
    for (;;) {
      try {
        await answers()
        return
      } catch (error) {
        if (child.exitCode !== null || Date.now() > deadline) {
          const log = (await this.log(name)).slice(-3000)
          throw new Error(`${name} did not start:\n${log}`, { cause: error })
        }
        await sleep(50)
      }
    }
  }
}

/** Rejects unless a plugin answers on `socketPath`. */
async function activate(socketPath: string): Promise<void> {
  const request = http.request({
    socketPath,
    method: 'POST',
    path: '/Plugin.Activate',
    timeout: 5000,
  })
  request.end()
  const [response]: http.IncomingMessage[] = await once(request, 'response')
  response?.resume()
  if (response?.statusCode !== 200) throw new Error('Activation was refused')
}

async function stop(
  child: ChildProcess | undefined,
  signal: NodeJS.Signals,
): Promise<void> {
  if (child === undefined) return
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}
