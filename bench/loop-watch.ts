import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readFileSync, writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

/**
 * Loaded into the daemon with `--import`, this writes the longest stalls of its
 * event loop to the file that this variable names, on exit.
 */
export const STALL_FILE = 'BENCH_STALL_FILE'

/** The signal to forget the stalls until now. */
export const FORGET_STALLS = 'SIGCONT'

/**
 * The longest that the event loop once stood still, in milliseconds. On a machine
 * that others use, the clock says little without the other two.
 */
export interface Stalls {
  readonly byTheClock: number
  /** But for the time in which others had the processors. */
  readonly butForWaits: number
  /** What the thread itself computed meanwhile. */
  readonly computing: number
}

const RESOLUTION = 1
const EVERY = 4

/** What Node tells each connection on. */
const CONNECTION = 'net.server.socket'

const file = process.env[STALL_FILE]
if (file !== undefined && isMainThread) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION })
  let [butForWaits, computing] = [0, 0]
  let last = usage()
  const look = (): void => {
    const now = usage()
    const late = now.clock - last.clock - EVERY
    const waited = now.waited - last.waited
    butForWaits = Math.max(butForWaits, late - waited)
    computing = Math.max(computing, Math.min(late, now.ran - last.ran))
    last = now
  }
  const forget = (): void => {
    delays.reset()
    ;[butForWaits, computing, last] = [0, 0, usage()]
  }
  const begin = (): void => {
    unsubscribe(CONNECTION, begin)
    delays.enable()
    forget()
    setInterval(look, EVERY).unref()
  }
  // Loading modules is a stall, but nobody has called yet.
  subscribe(CONNECTION, begin)
  process.on(FORGET_STALLS, forget)
  process.on('exit', () => {
    const byTheClock = delays.max / 1e6 - RESOLUTION
    writeFileSync(file, JSON.stringify({ byTheClock, butForWaits, computing }))
  })
}

/** How long this thread ran, and how long it was ready to, in milliseconds. */
function usage(): { clock: number; ran: number; waited: number } {
  const text = readFileSync('/proc/self/schedstat', 'utf8')
  const [ran = 0, waited = 0] = text.split(' ').map(Number)
  return { clock: performance.now(), ran: ran / 1e6, waited: waited / 1e6 }
}
