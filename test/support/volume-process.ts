import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Act } from './volume-model.ts'

const SCRIPT = fileURLToPath(new URL('volume-script.js', import.meta.url))

/** All volumes in a process of their own; see `volume-script.ts`. */
export class VolumeProcess {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(child: ChildProcess, lines: Interface) {
    this.#child = child
    this.#lines = lines[Symbol.asyncIterator]()
  }

  static async start(dataRoot: string, stores: string): Promise<VolumeProcess> {
    const child = spawn(process.execPath, [SCRIPT, dataRoot, stores], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    child.stdin?.on('error', () => undefined)
    if (child.stdout === null) throw new Error('It has no output')
    const started = new VolumeProcess(
      child,
      createInterface({ input: child.stdout }),
    )
    if ((await started.#answer()) !== 'ready')
      throw new Error('It did not start')
    return started
  }

  /** The answer, or `undefined` from one that was killed before. */
  async ask(act: Act): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify(act)}\n`)
    return this.#answer()
  }

  async kill(): Promise<void> {
    const { exitCode, signalCode } = this.#child
    if (exitCode !== null || signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  async #answer(): Promise<unknown> {
    const { value, done } = await this.#lines.next()
    return done === true ? undefined : JSON.parse(value)
  }
}
