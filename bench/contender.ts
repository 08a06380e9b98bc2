import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Disk } from './disk.ts'
import { type Answer, type Job, Peer, peerProgram } from './peer.ts'
import { Stowage, type StowageOptions } from './stowage.ts'

/**
 * Who can be measured: our daemon behind its socket, dockerd's own driver in
 * dockerd's process, or that driver behind a socket, as a plugin written in Go.
 */
export type Kind = 'stowage' | 'dockerd' | 'go-plugin'

export const KINDS: readonly Kind[] = ['stowage', 'dockerd', 'go-plugin']

/** What a way to keep layers is called by each. */
export interface DriverNames {
  readonly stowage: string
  readonly docker: string
}

/** One side at work on a disk of its own, called by dockerd's client code. */
export class Contender implements AsyncDisposable {
  readonly stowage: Stowage | undefined
  readonly #peer: Peer
  readonly #plugin: ChildProcess | undefined

  private constructor(
    peer: Peer,
    stowage: Stowage | undefined,
    plugin: ChildProcess | undefined,
  ) {
    this.#peer = peer
    this.stowage = stowage
    this.#plugin = plugin
  }

  static async start(
    kind: Kind,
    names: DriverNames,
    disk: Disk,
    watch: Pick<StowageOptions, 'stallFile'> = {},
  ): Promise<Contender> {
    const home = join(disk.path, 'home')
    const driver = names.docker
    if (kind === 'dockerd') {
      const peer = await Peer.start({ driver, home })
      return new Contender(peer, undefined, undefined)
    }
    if (kind === 'go-plugin') {
      const socket = join(disk.path, 'plugin.sock')
      const args = [
        'serve',
        '-driver',
        driver,
        '-home',
        home,
        '-socket',
        socket,
      ]
      const plugin = spawn(await peerProgram(), args, { stdio: 'inherit' })
      await sleep(300)
      const peer = await Peer.start({
        driver: kind,
        home,
        socket,
        pid: plugin.pid,
      })
      return new Contender(peer, undefined, plugin)
    }
    const stowage = await Stowage.start({
      directory: join(disk.path, 'stowage'),
      graphDriver: names.stowage,
      ...watch,
    })
    const { socket, pid } = stowage
    const peer = await Peer.start({ driver: kind, home, socket, pid })
    return new Contender(peer, stowage, undefined)
  }

  async run(job: Job): Promise<Answer> {
    const answer = await this.#peer.run(job)
    // dockerd's code extracts in children, which are not seen from outside.
    if (this.#plugin === undefined) return answer
    return { ...answer, Processor: Number.NaN }
  }

  /** Waits for what goes on behind an answer, so that it weighs on nobody. */
  async quiet(): Promise<void> {
    await this.stowage?.quiet()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer[Symbol.asyncDispose]()
    await this.stowage?.[Symbol.asyncDispose]()
    if (this.#plugin === undefined) return
    this.#plugin.kill()
    await once(this.#plugin, 'exit')
  }
}
