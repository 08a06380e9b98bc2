import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

const DEADLINE = 20_000
const INTERRUPT = '\u0003'

/** A line of shell at a terminal of 80 columns, and whoever sits there. */
export class PseudoTerminal {
  readonly #child: ChildProcess
  readonly #ended: Promise<number>
  #screen = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    child.stdout?.on('data', (text) => (this.#screen += text))
    this.#ended = this.#exit()
  }

  static run(line: string, env: NodeJS.ProcessEnv): PseudoTerminal {
    const sized = `stty cols 80 rows 24; ${line}`
    const command = ['--quiet', '--return', '--command', sized, '/dev/null']
    return new PseudoTerminal(
      spawn('script', command, { env, stdio: ['pipe', 'pipe', 'inherit'] }),
    )
  }

  /** Everything that was written to it so far, with its control characters. */
  get screen(): string {
    return this.#screen
  }

  /** Waits until it has shown something like that. */
  async shows(pattern: RegExp): Promise<void> {
    const deadline = Date.now() + DEADLINE
    while (!pattern.test(this.#screen)) {
      if (Date.now() > deadline) {
        throw new Error(`It never showed ${pattern}: ${this.#screen}`)
      }
      await sleep(10)
    }
  }

  /** Somebody presses Ctrl-C. */
  interrupt(): void {
    this.#child.stdin?.write(INTERRUPT)
  }

  /** Pulls the plug: whatever runs there is hung up. */
  close(): void {
    this.#child.kill('SIGTERM')
  }

  /** Waits for its end, and answers what it ended with. */
  ended(): Promise<number> {
    return this.#ended
  }

  async #exit(): Promise<number> {
    const [code] = await once(this.#child, 'close')
    return Number(code)
  }
}
