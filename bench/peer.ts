import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { cached } from './cache.ts'
import { command } from './command.ts'

const SOURCE = join(import.meta.dirname, '../../bench/peer')
const DEBIAN_SOURCES = '/usr/share/gocode'

/** What the Go program can be asked to do; see bench/peer/job.go. */
export interface Job {
  readonly Job: string
  readonly ID: string
  readonly Parent?: string
  readonly Tars?: readonly string[]
  readonly Count?: number
  readonly Callers?: number
}

export interface Answer {
  readonly Seconds: number
  /** Processor time, a plugin's included. */
  readonly Processor: number
  readonly Bytes: number
  readonly Count: number
  readonly Mount?: string
  readonly Err?: string
}

/** Where the jobs run: a driver inside dockerd's code, or one behind `socket`. */
export interface PeerOptions {
  readonly driver: string
  readonly home: string
  readonly socket?: string
  /** The process that serves the socket. */
  readonly pid?: number | undefined
}

/** The Go program at work on one driver. */
export class Peer implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #answers: AsyncIterator<string>

  private constructor(process: ChildProcess, answers: Interface) {
    this.#process = process
    this.#answers = answers[Symbol.asyncIterator]()
  }

  static async start({
    driver,
    home,
    socket,
    pid = 0,
  }: PeerOptions): Promise<Peer> {
    const args = ['jobs', '-driver', driver, '-home', home]
    if (socket !== undefined) args.push('-socket', socket, '-pid', `${pid}`)
    const process = spawn(await peerProgram(), args, {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const peer = new Peer(process, createInterface(process.stdout))
    await peer.#next()
    return peer
  }

  async run(job: Job): Promise<Answer> {
    this.#process.stdin?.write(`${JSON.stringify(job)}\n`)
    const answer = await this.#next()
    if (answer.Err !== undefined) throw new Error(answer.Err)
    return answer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return
    this.#process.stdin?.end()
    await once(this.#process, 'exit')
  }

  async #next(): Promise<Answer> {
    const { value, done } = await this.#answers.next()
    if (done) throw new Error('The peer ended before it answered')
    return JSON.parse(value) as Answer
  }
}

/** Why the peer cannot run here, or undefined if it can. */
export async function whyNoPeer(): Promise<string | undefined> {
  try {
    await peerProgram()
    return undefined
  } catch (error) {
    return `it needs golang-go, golang-github-docker-docker-dev and golang-github-vbatts-tar-split-dev: ${String(error)}`
  }
}

/** Builds the Go program, once for each state of its sources. */
export async function peerProgram(): Promise<string> {
  const hash = createHash('sha256')
  const files = await fs.readdir(SOURCE, { recursive: true })
  for (const file of files.filter((name) => name.endsWith('.go')).toSorted()) {
    hash.update(await fs.readFile(join(SOURCE, file)))
  }
  return cached(`peer-${hash.digest('hex').slice(0, 12)}`, async (path) => {
    const environment = [
      'GO111MODULE=off',
      'GOFLAGS=',
      `GOPATH=${join(SOURCE, 'stand-in')}:${DEBIAN_SOURCES}`,
    ]
    await command(
      'env',
      '-C',
      SOURCE,
      ...environment,
      'go',
      'build',
      '-o',
      path,
      '.',
    )
  })
}
