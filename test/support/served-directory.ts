import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { mountsBelow } from '../../src/linux/mountinfo.ts'
import { unmount } from '../../src/linux/mount.ts'

const DEADLINE = 10_000

/** A directory that a FUSE server shows, which can stop answering and go on. */
export interface ServedDirectory {
  readonly path: string
  /** From now on whoever touches the directory waits. */
  hang(): void
  goOn(): void
  isHanging(): Promise<boolean>
  /** Its server ends without a word, be it hung or not. */
  die(): Promise<void>
  /** Another server shows the same files in the same place. */
  serveAgain(): Promise<void>
  close(): Promise<void>
}

/**
 * Shows an empty directory at `<parent>/served`, through a server that keeps no
 * answer for later.
 *
 * @param inside What to run the server by, to be in another mount namespace.
 */
export async function serveDirectory(
  parent: string,
  inside: readonly string[] = [],
): Promise<ServedDirectory> {
  const path = join(parent, 'served')
  const backing = join(parent, 'backing')
  for (const directory of [path, backing]) {
    await fs.mkdir(directory, { mode: 0o755 })
  }
  let server = await serve(backing, path, inside)
  const die = async (): Promise<void> => {
    server.kill('SIGKILL')
    if (server.exitCode === null && server.signalCode === null) {
      await once(server, 'exit')
    }
  }
  return {
    path,
    hang: () => server.kill('SIGSTOP'),
    goOn: () => server.kill('SIGCONT'),
    async isHanging() {
      const stat = await fs.readFile(`/proc/${server.pid}/stat`, 'utf8')
      return / T /.test(stat)
    },
    die,
    async serveAgain() {
      await detached(path)
      server = await serve(backing, path, inside)
    },
    async close() {
      server.kill('SIGCONT')
      // What is detached ends its server once nobody uses it any more.
      if (inside.length === 0) await detached(path)
      await die()
    },
  }
}

async function detached(path: string): Promise<void> {
  for (const point of await mountsBelow(path)) await unmount(point)
}

/** Starts a server, and waits until it has taken its place. */
async function serve(
  backing: string,
  path: string,
  inside: readonly string[],
): Promise<ChildProcess> {
  const uncached = 'attr_timeout=0,entry_timeout=0,negative_timeout=0'
  const [program, ...args] = [
    ...inside,
    'bindfs',
    '-f',
    '-o',
    `allow_other,${uncached}`,
    backing,
    path,
  ]
  const server = spawn(program, args, { stdio: 'ignore' })
  await mounted(server, path, inside)
  return server
}

async function mounted(
  server: ChildProcess,
  path: string,
  inside: readonly string[],
): Promise<void> {
  const deadline = Date.now() + DEADLINE
  for (;;) {
    const mountinfo = `/proc/${server.pid}/mountinfo`
    const text = await fs.readFile(mountinfo, 'utf8').catch(() => '')
    if (text.includes(` ${path} `)) return
    if (server.exitCode !== null || Date.now() > deadline) {
      throw new Error(`"${path}" is not served ${inside.join(' ')}`)
    }
    await sleep(10)
  }
}
