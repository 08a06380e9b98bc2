import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const MAIN = join(import.meta.dirname, '../src/main.js')
const START_DEADLINE = 10_000

export interface StowageOptions {
  /** Where its data, its socket and its log are kept. */
  readonly directory: string
  readonly graphDriver?: string
}

/** The real daemon, as a user has it. */
export class Stowage implements AsyncDisposable {
  readonly socket: string
  readonly #process: ChildProcess

  private constructor(socket: string, process: ChildProcess) {
    this.socket = socket
    this.#process = process
  }

  static async start({
    directory,
    graphDriver = 'auto',
  }: StowageOptions): Promise<Stowage> {
    await fs.mkdir(directory, { recursive: true })
    const socket = join(directory, 'plugin.sock')
    const log = await fs.open(join(directory, 'log'), 'a')
    const child = spawn(process.execPath, [MAIN, 'serve'], {
      stdio: ['ignore', log.fd, log.fd],
      env: {
        ...process.env,
        STOWAGE_SOCKET: socket,
        STOWAGE_ADMIN_SOCKET: join(directory, 'admin.sock'),
        STOWAGE_DATA_ROOT: join(directory, 'data'),
        STOWAGE_GRAPH_DRIVER: graphDriver,
      },
    })
    await log.close()
    const stowage = new Stowage(socket, child)
    await stowage.#listening(directory)
    return stowage
  }

  /** The most memory it held since {@link forgetPeak}, in MiB. */
  async peak(): Promise<number> {
    return this.#status('VmHWM')
  }

  /** The memory it holds now, in MiB. */
  async resident(): Promise<number> {
    return this.#status('VmRSS')
  }

  async forgetPeak(): Promise<void> {
    await fs.writeFile(`/proc/${this.#process.pid}/clear_refs`, '5')
  }

  /** Waits until it has done what it does behind an answer, such as deleting. */
  async quiet(): Promise<void> {
    const deadline = Date.now() + 10_000
    let before = await this.#ticks()
    for (let still = 0; still < 3 && Date.now() < deadline; still++) {
      await sleep(20)
      const now = await this.#ticks()
      if (now !== before) still = -1
      before = now
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return
    this.#process.kill()
    await once(this.#process, 'exit')
  }

  async #listening(directory: string): Promise<void> {
    const deadline = Date.now() + START_DEADLINE
    for (;;) {
      const attempt = connect(this.socket)
      try {
        await once(attempt, 'connect')
        return
      } catch (error) {
        if (this.#process.exitCode !== null || Date.now() > deadline) {
          const log = await fs.readFile(join(directory, 'log'), 'utf8')
          throw new Error(`Stowage did not start:\n${log}`, { cause: error })
        }
        await sleep(10)
      } finally {
        attempt.destroy()
      }
    }
  }

  async #status(field: string): Promise<number> {
    const path = `/proc/${this.#process.pid}/status`
    const status = await fs.readFile(path, 'utf8')
    const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)
    return Number(kibibytes?.[1]) / 1024
  }

  /** Processor time used so far, in the kernel's ticks. */
  async #ticks(): Promise<number> {
    const stat = await fs.readFile(`/proc/${this.#process.pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return Number(fields[11]) + Number(fields[12])
  }
}
