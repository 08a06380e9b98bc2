import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface Fault {
  /** The system call, as strace(1) names it. */
  readonly call: string
  /** What becomes of it, in strace's words, such as `error=EIO`. */
  readonly fate: string
  /** Where alone, if the call is made on much else. */
  readonly paths?: readonly string[]
}

/** Lets a system call of a running process fail for as long as `task` takes. */
export async function withFault<T>(
  pid: number,
  { call, fate, paths = [] }: Fault,
  task: () => Promise<T>,
): Promise<T> {
  const where = paths.flatMap((path) => ['-P', path])
  const args = ['-f', '-e', `trace=${call}`, '-e', `inject=${call}:${fate}`]
  const strace = spawn('strace', [...args, ...where, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(strace, 'close')
  const lines = createInterface({ input: strace.stderr })
  const attached = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      if (/attached with \d+ threads/.test(line)) resolve()
    })
  })
  await Promise.race([attached, ended])
  try {
    return await task()
  } finally {
    strace.kill('SIGKILL')
    await ended
  }
}
