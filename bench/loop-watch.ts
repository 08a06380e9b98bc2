import { writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

/**
 * Loaded into the daemon with `--import`, this writes the longest stall of its
 * event loop, in milliseconds, to the file that this variable names, on exit.
 */
export const STALL_FILE = 'BENCH_STALL_FILE'

const RESOLUTION = 1
const START = 1000

const file = process.env[STALL_FILE]
if (file !== undefined && isMainThread) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION })
  // Loading modules is a stall, but nobody has called yet.
  setTimeout(() => delays.enable(), START).unref()
  process.on('exit', () => {
    writeFileSync(file, String(delays.max / 1e6 - RESOLUTION))
  })
}
