import { type ChildProcess, fork } from 'node:child_process'
import { asError, UnavailableError } from './errors.ts'
import { type ErrorClasses, type Failure, packed, revived } from './failure.ts'

/** What a process beside this one does, by name: functions of cloneable values. */
export type AsyncCalls = Readonly<
  Record<string, (...values: never[]) => Promise<unknown>>
>

type Request = readonly [id: number, name: string, values: readonly never[]]
type Reply<T> =
  | readonly [id: number, failure: undefined, result: T]
  | readonly [id: number, failure: Failure]
type Message<T> = { readonly reply: Reply<T> } | { readonly note: unknown }

interface Caller {
  readonly since: number
  readonly isLengthy: boolean
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

export interface SideProcessOptions {
  /** The module that it runs: one that calls `serveProcess`. */
  readonly module: URL
  /** What it does, in words that begin a sentence, such as `Volume store "nas"`. */
  readonly what: string
  /** Calls that take as long as there is data. All others are answered soon. */
  readonly lengthy?: readonly string[]
  /** Milliseconds after which a call without an answer stands for all of them. */
  readonly patience?: number
  /** How many calls may be unanswered at once. */
  readonly most?: number
  /** Classes of errors that matter on this side. */
  readonly classes?: ErrorClasses
  readonly onNote?: (note: unknown) => void
}

const PATIENCE = 8000
const MOST = 1000

/**
 * A process that does what may hang.
 *
 * A system call on a filesystem whose server does not answer cannot be called back:
 * it takes a thread for good, and a process that has such a thread does not even
 * die of SIGKILL. So whatever touches such a filesystem is done by a process of its
 * own, which can be left behind. Callers are not left waiting in numbers: once a
 * call has had no answer for some time, others are refused at once until it has.
 *
 * It starts with the first call, and anew should it have ended. It ends with us.
 */
export class SideProcess<C extends AsyncCalls> {
  readonly #options: SideProcessOptions
  readonly #callers = new Map<number, Caller>()
  #child: ChildProcess | undefined
  #lastId = 0

  constructor(options: SideProcessOptions) {
    this.#options = options
  }

  /** @throws UnavailableError when it does not answer, or ends before it has. */
  async call<N extends keyof C & string>(
    name: N,
    ...values: Parameters<C[N]>
  ): Promise<Awaited<ReturnType<C[N]>>> {
    this.#refuseIfStuck()
    const child = (this.#child ??= this.#start())
    const id = ++this.#lastId
    const isLengthy = this.#options.lengthy?.includes(name) ?? false
    return new Promise<Awaited<ReturnType<C[N]>>>((resolve, reject) => {
      if (this.#callers.size === 0) hold(child)
      this.#callers.set(id, { since: Date.now(), isLengthy, resolve, reject })
      child.send([id, name, values] satisfies Request)
    })
  }

  /** Whether it runs. */
  get isRunning(): boolean {
    return this.#child !== undefined
  }

  /** Ends it without waiting for that: it may hang. Unanswered calls fail. */
  abandon(): void {
    const child = this.#child
    if (child === undefined) return
    this.#forget(child)
    child.kill('SIGKILL')
  }

  #refuseIfStuck(): void {
    const { what, patience = PATIENCE, most = MOST } = this.#options
    const waiting = [...this.#callers.values()]
    const oldest = waiting.find(({ isLengthy }) => !isLengthy)
    const stuck = oldest !== undefined && Date.now() - oldest.since > patience
    if (!stuck && waiting.length < most) return
    throw new UnavailableError(
      `${what} does not answer: ${waiting.length} calls wait for it`,
    )
  }

  #start(): ChildProcess {
    const child = fork(this.#options.module, {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    letGo(child)
    child.on('message', (message: Message<never>) => this.#receive(message))
    child.on('error', () => this.#forget(child))
    child.on('exit', () => this.#forget(child))
    return child
  }

  #receive(message: Message<never>): void {
    if ('note' in message) {
      this.#options.onNote?.(message.note)
      return
    }
    const { reply } = message
    const caller = this.#callers.get(reply[0])
    this.#callers.delete(reply[0])
    if (this.#callers.size === 0 && this.#child) letGo(this.#child)
    if (reply[1] === undefined) caller?.resolve(reply[2])
    else caller?.reject(revived(reply[1], this.#options.classes))
  }

  #forget(child: ChildProcess): void {
    if (this.#child !== child) return
    this.#child = undefined
    letGo(child)
    const error = new UnavailableError(
      `${this.#options.what} has ended unexpectedly, and starts anew`,
    )
    for (const caller of this.#callers.values()) caller.reject(error)
    this.#callers.clear()
  }
}

/** The process keeps this one alive while it is waited for. */
function hold(child: ChildProcess): void {
  child.ref()
  child.channel?.ref()
}

function letGo(child: ChildProcess): void {
  child.unref()
  child.channel?.unref()
}

/**
 * Makes the module that a {@link SideProcess} runs answer its calls, which may
 * overlap. Answers what sends notes to the other side.
 */
export function serveProcess(calls: AsyncCalls): (note: unknown) => void {
  const serve = async ([id, name, values]: Request): Promise<void> => {
    send({ reply: [id, ...(await answered(() => calls[name]?.(...values)))] })
  }
  process.on('message', (request: Request) => void serve(request))
  // To exit in an orderly way is to wait for whatever hangs.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  // What a terminal sends to all is for the one who started us.
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => undefined)
  }
  return (note) => send({ note })
}

async function answered(
  work: () => Promise<unknown> | undefined,
): Promise<readonly [Failure] | readonly [undefined, unknown]> {
  try {
    return [undefined, await work()]
  } catch (error) {
    return [packed(asError(error))]
  }
}

function send(message: Message<unknown>): void {
  process.send?.(message)
}
