import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isErrno } from '../../src/base/errors.ts'
import { DockerdClient } from './dockerd-client.ts'

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url))

/** How long a start may take on the slowest machine. */
const PATIENCE = 20_000

/** `stowage serve` as a process of its own, on one directory, for as often as it is started. */
export class DaemonProcess {
  readonly #directory: string
  readonly #settings: NodeJS.ProcessEnv
  #child: ChildProcess | undefined
  #docker: DockerdClient | undefined
  #output = ''

  constructor(directory: string, settings: NodeJS.ProcessEnv = {}) {
    this.#directory = directory
    this.#settings = settings
  }

  get dataRoot(): string {
    return join(this.#directory, 'data')
  }

  get socketPath(): string {
    return join(this.#directory, 'plugin.sock')
  }

  /** The client of this run. */
  get docker(): DockerdClient {
    if (this.#docker === undefined) throw new Error('It is not running')
    return this.#docker
  }

  /** Starts the daemon, and answers the milliseconds until it answered. */
  async start(): Promise<number> {
    const began = performance.now()
    this.#output = ''
    const child = spawn(process.execPath, [MAIN, 'serve'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        STOWAGE_DATA_ROOT: this.dataRoot,
        STOWAGE_SOCKET: this.socketPath,
        STOWAGE_ADMIN_SOCKET: join(this.#directory, 'admin.sock'),
        ...this.#settings,
      },
    })
    this.#child = child
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-10_000)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    this.#docker = new DockerdClient(this.socketPath)
    while (!(await this.#answers())) {
      const isLate = performance.now() - began > PATIENCE
      if (child.exitCode !== null || isLate) {
        throw new Error(`stowage serve does not answer:\n${this.#output}`)
      }
      await sleep(5)
    }
    return performance.now() - began
  }

  /** Sends `signal` and waits for the end; answers the exit status, if there is one. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#child
    if (child === undefined) return null
    this.#child = undefined
    const exit = once(child, 'exit')
    if (child.exitCode === null) {
      child.kill(signal)
      await exit
    }
    this.#docker?.close()
    this.#docker = undefined
    return child.exitCode
  }

  async #answers(): Promise<boolean> {
    try {
      await this.docker.call('Plugin.Activate')
      return true
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ECONNREFUSED', 'ECONNRESET')) return false
      throw error
    }
  }
}
