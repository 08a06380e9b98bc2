import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { FORGET_STALLS, STALL_FILE } from './loop-watch.ts'

const MAIN = join(import.meta.dirname, '../src/main.js')
const LOOP_WATCH = join(import.meta.dirname, 'loop-watch.js')
const START_DEADLINE = 60_000
const SOCKET = 'plugin.sock'
const ADMIN_SOCKET = 'admin.sock'

export interface StowageOptions {
  /** Where its data, its socket and its log are kept. */
  readonly directory: string
  readonly graphDriver?: string
  /** Where it shall tell how long its event loop stood still. */
  readonly stallFile?: string
}

/** The real daemon, as a user has it. */
export class Stowage implements AsyncDisposable {
  readonly socket: string
  readonly adminSocket: string
  /** From its start to its first answer. */
  readonly startMilliseconds: number
  readonly #process: ChildProcess

  private constructor(
    directory: string,
    process: ChildProcess,
    startMilliseconds: number,
  ) {
    this.socket = join(directory, SOCKET)
    this.adminSocket = join(directory, ADMIN_SOCKET)
    this.#process = process
    this.startMilliseconds = startMilliseconds
  }

  static async start({
    directory,
    graphDriver = 'auto',
    stallFile,
  }: StowageOptions): Promise<Stowage> {
    await fs.mkdir(directory, { recursive: true })
    const socket = join(directory, SOCKET)
    const log = await fs.open(join(directory, 'log'), 'a')
    const started = performance.now()
    const watch =
      stallFile === undefined ? [] : ['--import', `file://${LOOP_WATCH}`]
    const child = spawn(process.execPath, [...watch, MAIN, 'serve'], {
      stdio: ['ignore', log.fd, log.fd],
      env: {
        ...process.env,
        [STALL_FILE]: stallFile,
        STOWAGE_SOCKET: socket,
        STOWAGE_ADMIN_SOCKET: join(directory, ADMIN_SOCKET),
        STOWAGE_DATA_ROOT: join(directory, 'data'),
        STOWAGE_GRAPH_DRIVER: graphDriver,
      },
    })
    await log.close()
    await answering(socket, child, directory)
    return new Stowage(directory, child, performance.now() - started)
  }

  get pid(): number | undefined {
    return this.#process.pid
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

  /** Stalls until now do not count. */
  async forgetStalls(): Promise<void> {
    this.#process.kill(FORGET_STALLS)
    await sleep(100)
  }

  /** Waits until it has done what it does behind an answer, such as deleting. */
  async quiet(): Promise<void> {
    const deadline = Date.now() + 10_000
    let before = await this.#ticks()
    for (let still = 0; still < 5 && Date.now() < deadline; still++) {
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

async function answering(
  socketPath: string,
  child: ChildProcess,
  directory: string,
): Promise<void> {
  const deadline = Date.now() + START_DEADLINE
  for (;;) {
    try {
      const path = '/Plugin.Activate'
      const call = request({ socketPath, method: 'POST', path, agent: false })
      call.end()
      const [response] = (await once(call, 'response')) as [IncomingMessage]
      response.resume()
      return
    } catch (error) {
      if (child.exitCode !== null || Date.now() > deadline) {
        const log = await fs.readFile(join(directory, 'log'), 'utf8')
        throw new Error(`Stowage did not start:\n${log}`, { cause: error })
      }
      await sleep(5)
    }
  }
}
