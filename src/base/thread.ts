import { parentPort, Worker } from 'node:worker_threads'
import { UnavailableError } from './errors.ts'
import { type Failure, packed, revived } from './failure.ts'

/** What a thread does, by name: synchronous functions of cloneable values. */
export type Calls = Readonly<Record<string, (...values: never[]) => unknown>>

type Request = readonly [id: number, name: string, values: readonly never[]]
type Reply =
  | readonly [id: number, failure: undefined, result: never]
  | readonly [id: number, failure: Failure]

interface Caller {
  readonly resolve: (result: never) => void
  readonly reject: (error: Error) => void
}

/**
 * A worker thread that answers calls, one after the other.
 *
 * It starts with its first call, keeps the process alive only while it has
 * something to do, and starts anew should it have died. The module runs
 * `serveCalls`.
 */
export class Thread<C extends Calls> {
  readonly #module: URL
  readonly #data: unknown
  readonly #callers = new Map<number, Caller>()
  #worker: Worker | undefined
  #lastId = 0

  /** @param data What the module finds as its `workerData`. */
  constructor(module: URL, data?: unknown) {
    this.#module = module
    this.#data = data
  }

  call<N extends keyof C & string>(
    name: N,
    ...values: Parameters<C[N]>
  ): Promise<ReturnType<C[N]>> {
    const worker = (this.#worker ??= this.#start())
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      if (this.#callers.size === 0) worker.ref()
      this.#callers.set(id, { resolve, reject })
      worker.postMessage([id, name, values])
    })
  }

  /** Ends the thread at once. Calls that it had not answered fail. */
  async close(): Promise<void> {
    await this.#worker?.terminate()
  }

  #start(): Worker {
    const worker = new Worker(this.#module, {
      workerData: this.#data,
      // Files are opened by system calls that Node does not see, too.
      trackUnmanagedFds: false,
    })
    worker.unref()
    worker.on('message', (reply: Reply) => this.#settle(worker, reply))
    worker.on('error', (error: Error) => this.#abandon(worker, error))
    worker.on('exit', () =>
      this.#abandon(
        worker,
        new UnavailableError('The thread for it has ended'),
      ),
    )
    return worker
  }

  #settle(worker: Worker, reply: Reply): void {
    const caller = this.#callers.get(reply[0])
    this.#callers.delete(reply[0])
    if (this.#callers.size === 0) worker.unref()
    if (reply[1] === undefined) caller?.resolve(reply[2])
    else caller?.reject(revived(reply[1]))
  }

  #abandon(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    for (const caller of this.#callers.values()) caller.reject(error)
    this.#callers.clear()
  }
}

/** Makes the module that a {@link Thread} runs answer its calls. */
export function serveCalls(calls: Calls): void {
  const port = parentPort
  if (port === null) throw new Error('Calls are served in a thread only')
  port.on('message', ([id, name, values]: Request) => {
    port.postMessage(answer(calls, id, name, values))
  })
}

function answer(
  calls: Calls,
  id: number,
  name: string,
  values: readonly never[],
): readonly [number, Failure] | readonly [number, undefined, unknown] {
  try {
    return [id, undefined, calls[name]?.(...values)]
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return [id, packed(error)]
  }
}
