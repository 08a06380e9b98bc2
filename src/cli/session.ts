import { DockerClient } from '../docker/docker-client.ts'
import { type WhoUses, whoUses } from '../docker/who-uses.ts'
import { AdminClient } from './admin-client.ts'
import { ADMIN_SOCKET, findAdminSocket } from './admin-socket.ts'
import type { SettledSettings } from './settled-settings.ts'
import type { Terminal } from './terminal.ts'

/** The program as the command finds it. */
export interface Surroundings {
  readonly version: string
  readonly env: NodeJS.ProcessEnv
  readonly settings: () => Promise<Settings>
  readonly terminal: Terminal
  /** Aborted when whoever started the command wants no more of it. */
  readonly signal: AbortSignal
}

/** The program's settings, which take their time to load. */
export interface Settings {
  /** What the settings in an environment come to, be all of them valid or not. */
  readonly readSettings: (env: NodeJS.ProcessEnv) => SettledSettings
  /** All settings, for who asks for help. */
  readonly settingsHelp: () => string
}

export interface CommonOptions {
  readonly json: boolean
  readonly socket: string | undefined
}

/** How long whoever interrupts a command waits for what is undone. */
const LAST_WORDS = 30_000

/** What a verb works with: the daemon, Docker, and whom to tell. */
export class Session {
  readonly surroundings: Surroundings
  readonly isJson: boolean
  readonly #socket: string | undefined
  #client: Promise<AdminClient> | undefined

  constructor(surroundings: Surroundings, { json, socket }: CommonOptions) {
    this.surroundings = surroundings
    this.isJson = json
    this.#socket = socket
  }

  get terminal(): Terminal {
    return this.surroundings.terminal
  }

  get signal(): AbortSignal {
    return this.surroundings.signal
  }

  get docker(): DockerClient {
    return DockerClient.at(this.surroundings.env.DOCKER_HOST || undefined)
  }

  /** The daemon, as its API is. Looking for it takes no answer of it. */
  daemon(): Promise<AdminClient> {
    this.#client ??= this.#connect(this.signal)
    return this.#client
  }

  /** The same once more, for what is to be done after all was let go of. */
  anotherDaemon(): Promise<AdminClient> {
    return this.#connect(AbortSignal.timeout(LAST_WORDS))
  }

  whoUses(): Promise<WhoUses> {
    return whoUses(this.docker)
  }

  /** Prints a result: `value` as JSON for programs, or what `text` says of it. */
  show(value: unknown, text: () => string): void {
    if (this.isJson) this.terminal.print(asJson(value))
    else this.terminal.print(text())
  }

  /** Prints one of many results, as they come. */
  showLine(value: unknown, text: () => string): void {
    if (this.isJson) this.terminal.print(`${JSON.stringify(value)}\n`)
    else this.terminal.print(text())
  }

  async #connect(signal: AbortSignal): Promise<AdminClient> {
    const path = await findAdminSocket({
      typed: this.#socket,
      set: this.surroundings.env.STOWAGE_ADMIN_SOCKET || ADMIN_SOCKET,
      docker: this.docker,
    })
    return new AdminClient(path, signal)
  }
}

function asJson(value: unknown): string {
  return `${JSON.stringify(value ?? null, undefined, 2)}\n`
}
