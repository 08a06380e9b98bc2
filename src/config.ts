import { InvalidArgumentError, messageOf } from './base/errors.ts'
import { ADMIN_SOCKET } from './cli/admin-socket.ts'
import { AUTO } from './graph/driver-choice.ts'
import { drivers } from './graph/drivers.ts'
import { parseStorageOptions } from './graph/storage-options.ts'
import { MAX_SOCKET_PATH } from './linux/unix-socket.ts'
import { LOG_FORMATS, LOG_LEVELS } from './logger.ts'
import { parseFreeMark, parseKeepFor } from './operations/trash-limits.ts'
import { parseStoreSpecs } from './volume/volume-stores.ts'

interface Setting<T> {
  /** The environment variable. */
  readonly name: string
  readonly fallback: string
  readonly meaning: string
  /** @throws InvalidArgumentError that says what is accepted. */
  readonly read: (text: string) => T
}

/** The halves of the plugin, each of which may run without the other. */
const HALVES = ['volume', 'graph'] as const

/** The ways to keep layers, whatever Docker's options for them are. */
const GRAPH_DRIVERS = drivers(parseStorageOptions([])).map(({ name }) => name)

/** What a volume's name means on other hosts. */
const SCOPES = ['local', 'global'] as const

/** Every setting there is. A managed plugin's manifest lists the same names. */
export const SETTINGS = {
  dataRoot: {
    name: 'STOWAGE_DATA_ROOT',
    fallback: '/var/lib/stowage',
    meaning: 'volumes, state and images live under it',
    read: absolutePath,
  },
  socket: {
    name: 'STOWAGE_SOCKET',
    fallback: '/run/docker/plugins/stowage.sock',
    meaning: 'where Docker finds the plugin; socket activation wins over it',
    read: socketPath,
  },
  adminSocket: {
    name: 'STOWAGE_ADMIN_SOCKET',
    fallback: ADMIN_SOCKET,
    meaning: "the administrator's API",
    read: socketPath,
  },
  implements: {
    name: 'STOWAGE_IMPLEMENTS',
    fallback: HALVES.join(','),
    meaning: `what Docker may use it for: ${HALVES.join(',')} or one of them`,
    read: listOf(HALVES),
  },
  stores: {
    name: 'STOWAGE_STORES',
    fallback: 'default=local:',
    meaning: 'volume stores, NAME=KIND:PATH, separated by spaces',
    read: parseStoreSpecs,
  },
  trashTime: {
    name: 'STOWAGE_TRASH_TIME',
    fallback: '24h',
    meaning:
      'how long a removed volume can be brought back, in s, m, h or d; 0 for not at all',
    read: parseKeepFor,
  },
  trashFree: {
    name: 'STOWAGE_TRASH_FREE',
    fallback: '5%',
    meaning:
      'the room that removed volumes leave: below it, the oldest are deleted early',
    read: parseFreeMark,
  },
  graphDriver: {
    name: 'STOWAGE_GRAPH_DRIVER',
    fallback: AUTO,
    meaning: "how layers are kept; Docker's stowage.driver option wins over it",
    read: oneOf([AUTO, ...GRAPH_DRIVERS]),
  },
  naiveDiff: {
    name: 'STOWAGE_NAIVE_DIFF',
    fallback: 'false',
    meaning: 'compare trees even where the driver knows its own changes',
    read: (text: string) => oneOf(['true', 'false'])(text) === 'true',
  },
  scope: {
    name: 'STOWAGE_SCOPE',
    fallback: 'local',
    meaning: 'global if a name means the same volume on every host',
    read: oneOf(SCOPES),
  },
  metricsPort: {
    name: 'STOWAGE_METRICS_PORT',
    fallback: '0',
    meaning: 'where metrics are served on the loopback too; 0 for nowhere',
    read: port,
  },
  logLevel: {
    name: 'STOWAGE_LOG_LEVEL',
    fallback: 'info',
    meaning:
      'the least important lines to log; SIGUSR2 switches to debug and back',
    read: oneOf(LOG_LEVELS),
  },
  logFormat: {
    name: 'STOWAGE_LOG_FORMAT',
    fallback: 'json',
    meaning: 'lines of json or of text',
    read: oneOf(LOG_FORMATS),
  },
} satisfies Record<string, Setting<unknown>>

type Settings = typeof SETTINGS

/** What the environment says, checked. */
export type Config = {
  readonly [K in keyof Settings]: ReturnType<Settings[K]['read']>
}

/**
 * Reads all settings. One that is empty is not set.
 *
 * @param refuse Is told of one that is not valid by an error that names the variable,
 *   its value, and what would be accepted, on one line. It throws that, or the
 *   default stands.
 */
export function readConfig(
  env: NodeJS.ProcessEnv,
  refuse: (error: InvalidArgumentError) => void = throwIt,
): Config {
  const value = <T>({ name, fallback, read }: Setting<T>): T => {
    const text = env[name] || fallback
    try {
      return read(text)
    } catch (error) {
      refuse(
        new InvalidArgumentError(
          `${name}=${JSON.stringify(text)} is not valid: ${messageOf(error)}`,
          { cause: error },
        ),
      )
      return read(fallback)
    }
  }
  return {
    dataRoot: value(SETTINGS.dataRoot),
    socket: value(SETTINGS.socket),
    adminSocket: value(SETTINGS.adminSocket),
    implements: value(SETTINGS.implements),
    stores: value(SETTINGS.stores),
    trashTime: value(SETTINGS.trashTime),
    trashFree: value(SETTINGS.trashFree),
    graphDriver: value(SETTINGS.graphDriver),
    naiveDiff: value(SETTINGS.naiveDiff),
    scope: value(SETTINGS.scope),
    metricsPort: value(SETTINGS.metricsPort),
    logLevel: value(SETTINGS.logLevel),
    logFormat: value(SETTINGS.logFormat),
  }
}

function throwIt(error: InvalidArgumentError): never {
  throw error
}

/** Variables that look like settings and are none, such as a misspelled one. */
export function strangers(env: NodeJS.ProcessEnv): readonly string[] {
  const known = new Set<string>(Object.values(SETTINGS).map(({ name }) => name))
  return Object.keys(env).filter(
    (name) => name.startsWith('STOWAGE_') && !known.has(name),
  )
}

function absolutePath(text: string): string {
  if (text.startsWith('/') && !text.includes('\0')) return text
  throw new InvalidArgumentError('give an absolute path')
}

function socketPath(text: string): string {
  const path = absolutePath(text)
  const bytes = Buffer.byteLength(path)
  if (bytes <= MAX_SOCKET_PATH) return path
  throw new InvalidArgumentError(
    `give a path of at most ${MAX_SOCKET_PATH} bytes, it has ${bytes}`,
  )
}

function port(text: string): number {
  const number = Number(text)
  if (/^\d{1,5}$/.test(text) && number < 65_536) return number
  throw new InvalidArgumentError('give a number from 0 to 65535')
}

function oneOf<T extends string>(choices: readonly T[]): (text: string) => T {
  return (text) => {
    const choice = choices.find((name) => name === text)
    if (choice !== undefined) return choice
    throw new InvalidArgumentError(`give one of ${choices.join(', ')}`)
  }
}

function listOf<T extends string>(
  choices: readonly T[],
): (text: string) => readonly T[] {
  return (text) => {
    const names = text.split(',').map((name) => name.trim())
    const chosen = choices.filter((name) => names.includes(name))
    if (chosen.length === names.length) return chosen
    throw new InvalidArgumentError(
      `give one or more of ${choices.join(', ')}, each once, with commas between them`,
    )
  }
}
