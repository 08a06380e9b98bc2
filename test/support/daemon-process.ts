import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DockerdClient } from '../../src/conformance/dockerd-client.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

const MAIN = join(import.meta.dirname, '../../src/main.js')
const DEADLINE = 15_000

/** Only the process itself knows the id that it must find in LISTEN_PID. */
const HAND_OVER = ['sh', '-c', 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', 'sh']

export type Settings = Readonly<Record<string, string>>

interface Place {
  readonly dataRoot: string
  readonly socketPath: string
}

export interface StartOptions {
  readonly settings?: Settings
  /** A listening socket to hand over, as systemd would. */
  readonly descriptor?: number
  /** A program that starts it, given as an argument list that its own is added to. */
  readonly through?: readonly string[]
}

/** How a process ended, and what it said. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** The real program, running `stowage serve` with a data root and a socket of its own. */
export class DaemonProcess {
  readonly dataRoot: string
  readonly socketPath: string
  readonly docker: DockerdClient
  readonly #began = performance.now()
  readonly #child: ChildProcess
  readonly #ended: Promise<Ending>
  #startedIn = NaN
  #stdout = ''
  #stderr = ''

  private constructor(place: Place, child: ChildProcess) {
    const { dataRoot, socketPath } = place
    this.dataRoot = dataRoot
    this.socketPath = socketPath
    this.docker = new DockerdClient(socketPath)
    this.#child = child
    child.stdout?.on('data', (text) => (this.#stdout += text))
    child.stderr?.on('data', (text) => (this.#stderr += text))
    this.#ended = this.#awaitEnd()
  }

  /** Starts the program; `ready` or `ended` tells what became of it. */
  static spawn(
    place: Place,
    { settings = {}, descriptor, through = [] }: StartOptions = {},
  ): DaemonProcess {
    const [program, ...args] = [
      ...(descriptor === undefined ? through : HAND_OVER),
      process.execPath,
      MAIN,
      'serve',
    ]
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe', descriptor ?? 'ignore'],
      env: {
        PATH: process.env.PATH,
        STOWAGE_DATA_ROOT: place.dataRoot,
        STOWAGE_SOCKET: place.socketPath,
        STOWAGE_ADMIN_SOCKET: adminSocketOf(
          settings.STOWAGE_DATA_ROOT ?? place.dataRoot,
        ),
        ...settings,
      },
    })
    return new DaemonProcess(place, child)
  }

  /** Milliseconds from its start to its first answer, once it is ready. */
  get startedIn(): number {
    return this.#startedIn
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get adminSocketPath(): string {
    return adminSocketOf(this.dataRoot)
  }

  /** Waits until the plugin answers. */
  async ready(): Promise<this> {
    const deadline = Date.now() + DEADLINE
    for (;;) {
      try {
        await this.docker.call('Plugin.Activate')
        this.#startedIn = performance.now() - this.#began
        return this
      } catch (error) {
        if (this.#child.exitCode === null && Date.now() < deadline) {
          await sleep(5)
          continue
        }
        throw new Error(`No start: ${this.#stderr}${this.#stdout}`, {
          cause: error,
        })
      }
    }
  }

  ended(): Promise<Ending> {
    return this.#ended
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Reads no more of what it logs, with the pipe left open or closed. */
  stopReading(how: 'pause' | 'destroy'): void {
    this.#child.stdout?.[how]()
  }

  /** Ends the process by `signal`, and waits for it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ending> {
    this.kill(signal)
    const ending = await this.#ended
    this.docker.close()
    return ending
  }

  /** What it has logged so far, line by line. */
  get log(): readonly Readonly<Record<string, unknown>>[] {
    const lines = this.#stdout.split('\n').filter(Boolean)
    return lines.map((line) => JSON.parse(line))
  }

  /** Waits for a line with this message. */
  async logged(message: string): Promise<Readonly<Record<string, unknown>>> {
    const deadline = Date.now() + DEADLINE
    for (;;) {
      const line = this.log.findLast((one) => one.message === message)
      if (line !== undefined) return line
      if (Date.now() > deadline) throw new Error(`Never logged: ${message}`)
      await sleep(5)
    }
  }

  async #awaitEnd(): Promise<Ending> {
    const [code, signal] = await once(this.#child, 'close')
    return { code, signal, stdout: this.#stdout, stderr: this.#stderr }
  }
}

/** Beside the data root, so that no two daemons of a machine have the same. */
function adminSocketOf(dataRoot: string): string {
  return `${dataRoot}.admin.sock`
}

/** Where the daemons of a test run, all stopped after it. */
export interface DaemonPlace extends Place {
  /** A directory of the test. */
  readonly path: string
  /** Starts a daemon here and does not wait. */
  spawn(options?: StartOptions): DaemonProcess
  /** Starts a daemon here and waits until it answers. */
  start(options?: StartOptions): Promise<DaemonProcess>
}

/**
 * Gives each test of the suite a place for daemons.
 *
 * @param under Where, if it matters on which filesystem.
 */
export function useDaemons(under?: () => string): DaemonPlace {
  let daemons: DaemonProcess[] = []
  // Before the directory goes, so that nobody writes into it any more.
  afterEach(async () => {
    await Promise.all(daemons.map((daemon) => daemon.stop('SIGKILL')))
    daemons = []
  })
  const directory = useTempDir(under)
  return {
    get path() {
      return directory.path
    },
    get dataRoot() {
      return join(directory.path, 'root')
    },
    get socketPath() {
      return join(directory.path, 'run/stowage.sock')
    },
    spawn(options) {
      const daemon = DaemonProcess.spawn(this, options)
      daemons.push(daemon)
      return daemon
    },
    start(options) {
      return this.spawn(options).ready()
    },
  }
}
