import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { isErrno } from '../../src/base/errors.ts'

/**
 * What changes something that a crash leaves behind, as strace(1) names it; not
 * copy_file_range, which the kernel begins anew as long as a signal waits.
 */
const CHANGES: readonly string[] = `
  mkdir mkdirat rmdir mknod mknodat symlink symlinkat link linkat unlink unlinkat
  rename renameat renameat2 truncate ftruncate fallocate
  chmod fchmod fchmodat chown fchown lchown fchownat utimensat
  setxattr lsetxattr fsetxattr removexattr lremovexattr
  mount umount2 fsync fdatasync
`
  .trim()
  .split(/\s+/)

/** Changes too, but not whatever they are called on. */
const SOME_CHANGE: Readonly<Record<string, RegExp>> = {
  open: /O_CREAT|O_TRUNC/,
  openat: /O_CREAT|O_TRUNC/,
  write: /^\d+<\//,
  pwrite64: /^\d+<\//,
  ioctl: /FICLONE|BTRFS|LOOP|FIFREEZE|FITHAW/,
}

const TRACED = [...CHANGES, ...Object.keys(SOME_CHANGE)].join(',')

/** Milliseconds without a line after which a stop is taken for one not told of. */
const STUCK = 500

export interface KillOptions {
  /** After how many changes it is killed, or after which; never, if they do not come. */
  readonly after: number | RegExp
}

/**
 * Follows a process change by change, and kills it right after one of them.
 *
 * Each system call that may change something stops the whole process when it is
 * done, so that nothing follows the last but what other threads had begun. What
 * lets the process go on, or ends it, is this here, which reads strace's lines.
 */
export class StepKiller {
  /** The changes so far, in their order, as strace tells them. */
  readonly steps: string[] = []
  readonly #strace: ChildProcess
  readonly #pid: number
  readonly #after: number | RegExp
  readonly #ended: Promise<unknown>
  readonly #begun = new Map<string, string>()
  /** strace splits the line of a call when a thread begins meanwhile. */
  readonly #nudging = setInterval(() => {
    if (this.quietFor > STUCK && !this.#killed) signal(this.#pid, 'SIGCONT')
  }, STUCK)
  #isAttached: () => void = () => undefined
  #lastSeen = performance.now()
  #killed = false

  private constructor(pid: number, { after }: KillOptions) {
    this.#pid = pid
    this.#after = after
    const which = [
      `trace=${TRACED}`,
      'signal=none',
      `inject=${TRACED}:signal=STOP`,
    ]
    const args = ['-f', '-y', ...which.flatMap((one) => ['-e', one])]
    this.#strace = spawn('strace', [...args, '-p', String(pid)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#ended = once(this.#strace, 'close')
    const lines = createInterface({ input: this.#strace.stderr! })
    lines.on('line', (line) => this.#read(line))
  }

  /** Follows the process `pid`, with all its threads, from now on. */
  static async attach(pid: number, options: KillOptions): Promise<StepKiller> {
    const killer = new StepKiller(pid, options)
    const attached = new Promise<void>((resolve) => {
      killer.#isAttached = resolve
    })
    await Promise.race([attached, killer.#ended])
    return killer
  }

  /** Whether the process came so far, and was killed. */
  get killed(): boolean {
    return this.#killed
  }

  /** Milliseconds since the process made the last change, or was attached. */
  get quietFor(): number {
    return performance.now() - this.#lastSeen
  }

  /**
   * Lets the process be, if it is still there. strace is killed: asked to end, it
   * would wait for a thread of the dead for ever.
   */
  async detach(): Promise<void> {
    clearInterval(this.#nudging)
    this.#strace.kill('SIGKILL')
    await this.#ended
    if (this.#killed) return
    // The last stop may have been under way.
    for (let again = 0; again < 3; again++) {
      signal(this.#pid, 'SIGCONT')
      await sleep(10)
    }
  }

  /** A program that it runs goes on when it is killed, and is no part of it. */
  #isOurs(thread: string): boolean {
    return existsSync(`/proc/${this.#pid}/task/${thread}`)
  }

  #isLast(call: string): boolean {
    const after = this.#after
    if (after instanceof RegExp) return after.test(call)
    return this.steps.length >= after
  }

  #read(line: string): void {
    if (/attached with \d+ threads/.test(line)) this.#isAttached()
    const [, thread = '', said = ''] = /^\[pid +(\d+)\] (.*)$/.exec(line) ?? []
    if (said.endsWith('<unfinished ...>')) {
      this.#begun.set(thread, said.replace(/<unfinished \.\.\.>$/, ''))
      return
    }
    const [, rest] = /^<\.\.\. \w+ resumed>(.*)$/.exec(said) ?? []
    const call = rest === undefined ? said : this.#begun.get(thread) + rest
    const [, name = '', what = ''] = /^(\w+)\((.*)$/.exec(call) ?? []
    if (name === '') return
    if (isChange(name, what) && this.#isOurs(thread)) {
      this.#lastSeen = performance.now()
      this.steps.push(call)
      if (this.#isLast(call)) {
        this.#killed = true
        signal(this.#pid, 'SIGKILL')
        return
      }
    }
    signal(Number(thread), 'SIGCONT')
  }
}

/** What failed has changed nothing. */
function isChange(name: string, what: string): boolean {
  if (/= -1 E\w+/.test(what)) return false
  if (/"\/(?:proc|dev)\/|<\/(?:proc|dev|sys)\/(?!loop)/.test(what)) return false
  return CHANGES.includes(name) || SOME_CHANGE[name]?.test(what) === true
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error
  }
}
