import type { Stats } from 'node:fs'
import * as fs from 'node:fs/promises'
import { dirname } from 'node:path'
import { isErrno } from '../../base/errors.ts'
import { isAnswered } from '../../linux/unix-socket.ts'
import { type Finding, finding, type Probe } from '../finding.ts'
import type { Place } from '../place.ts'

/** dockerd takes whatever socket it finds there for a plugin. */
const PLUGIN_DIRECTORY = '/run/docker/plugins'

interface Socket {
  readonly path: string
  /** What a socket's mode must not let through. */
  readonly closedTo: number
  /** Who comes in by it, in words. */
  readonly mode: number
}

/** The sockets, and whether anybody listens there. */
export const socketProbe: Probe = {
  name: 'sockets',
  async run(place) {
    const { socket, adminSocket } = place.settings
    const findings = [
      ...(await examine({ path: socket, closedTo: 0o007, mode: 0o660 }, place)),
      ...(await examine(
        { path: adminSocket, closedTo: 0o077, mode: 0o600 },
        place,
      )),
    ]
    if (dirname(adminSocket) === PLUGIN_DIRECTORY) {
      findings.push(amongPlugins(adminSocket))
    }
    if (!place.isRunning) findings.push(notRunning(place))
    return findings
  },
}

async function examine(
  { path, closedTo, mode }: Socket,
  { isRunning }: Place,
): Promise<readonly Finding[]> {
  const present = await statOf(path)
  if (present === undefined) return []
  if (!present.isSocket()) return [notASocket(path)]
  if (!(await isAnswered(path))) return [stale(path, isRunning)]
  if ((present.mode & closedTo) === 0) return []
  return [open(path, present.mode & 0o777, mode)]
}

function notASocket(path: string): Finding {
  return finding('not-a-socket', path, {
    explanation: `"${path}" is no socket, so the daemon refuses to listen there`,
    advice: 'Find out what it is, move it away, and start the daemon again',
  })
}

function stale(path: string, isRunning: boolean): Finding {
  return finding('stale-socket', path, {
    explanation: `A daemon that is gone has left "${path}". Docker asks there for 15 s whenever it looks for plugins, and then gives up`,
    advice: isRunning
      ? 'A daemon runs and does not listen there: restart it'
      : 'Start the daemon, which takes its place, or remove it',
    repair: {
      action: 'remove the socket that nobody answers at',
      needsStopped: false,
      apply: () => fs.rm(path, { force: true }),
    },
  })
}

function open(path: string, mode: number, should: number): Finding {
  return finding('open-socket', path, {
    explanation: `"${path}" has mode ${octal(mode)} and should have ${octal(should)}: whoever may write to it commands the host's storage, and so the host`,
    advice: `Run chmod ${octal(should)} ${path}, and find out who changed it`,
    repair: {
      action: `give the socket mode ${octal(should)}`,
      needsStopped: false,
      apply: () => fs.chmod(path, should),
    },
  })
}

function amongPlugins(path: string): Finding {
  return finding('socket-among-plugins', path, {
    explanation: `Docker takes every socket in ${PLUGIN_DIRECTORY} for a plugin, and would wait for this one in vain`,
    advice:
      'Set STOWAGE_ADMIN_SOCKET to a path elsewhere, such as /run/stowage/admin.sock',
  })
}

function notRunning({ settings }: Place): Finding {
  return finding('not-running', settings.dataRoot, {
    explanation: `No daemon has the data root "${settings.dataRoot}". Containers that run go on; none with a volume of ours can start`,
    advice: 'Start it: "systemctl start stowage", or "stowage serve" by hand',
  })
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await fs.lstat(path)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}
