import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import { namesIn } from '../state/listing.ts'
import { volumesOf, type ExaminedVolume } from './examined-volumes.ts'
import type { Finding } from './finding.ts'
import type { Place } from './place.ts'
import { redacted } from './redaction.ts'
import { holdsAt } from './volume-mounts.ts'

/** Options of a volume whose values nobody keeps a secret in. */
const PLAIN_OPTIONS = new Set([
  'store',
  'capacity',
  'uid',
  'gid',
  'mode',
  'ro',
  'protect',
  'from',
])

export interface BundleOptions {
  readonly version: string
  /** All settings by variable, as the environment has them. */
  readonly described: ReadonlyMap<string, string>
}

/**
 * All that somebody needs who is to help from afar, as one JSON value that people
 * can read before they send it.
 *
 * It holds what is listed here and nothing else: no content of any volume, no names
 * of files in it, no values of labels, no environment of any container. Whatever
 * still looks like a secret in a text is taken out.
 */
export async function supportBundle(
  place: Place,
  findings: readonly Finding[],
  { version, described }: BundleOptions,
): Promise<object> {
  const volumes = []
  for (const store of place.stores) {
    for (const volume of await volumesOf(store))
      volumes.push(withoutSecrets(volume))
  }
  return redacted({
    about: 'Written by "stowage doctor --bundle": read it before you send it',
    time: new Date().toISOString(),
    stowage: { version, isRunning: place.isRunning },
    machine: await machine(),
    settings: Object.fromEntries(described),
    findings: findings.map(({ repair, ...told }) => ({
      ...told,
      repair: repair?.action,
    })),
    stores: await Promise.all(
      place.stores.map(async ({ name, kind, directory, parameters }) => ({
        name,
        kind,
        directory,
        parameters,
        entries: (await namesIn(directory)).length,
      })),
    ),
    volumes,
    holds: await holders(place),
    mounts: mounts(place),
    docker: docker(place),
  })
}

function withoutSecrets({
  name,
  store,
  record,
  damage,
  isVolume,
  hasData,
}: ExaminedVolume): object {
  const typed = Object.entries(record?.options.typed ?? {})
  return {
    name,
    store: store.name,
    isVolume,
    hasData,
    damage,
    createdAt: record?.createdAt,
    options: Object.fromEntries(
      typed.map(([key, value]) => [
        key,
        PLAIN_OPTIONS.has(key.toLowerCase()) ? value : WITHHELD,
      ]),
    ),
  }
}

const WITHHELD = '(withheld)'

async function machine(): Promise<object> {
  const release = await fs.readFile('/etc/os-release', 'utf8')
  return {
    system: /^PRETTY_NAME="?([^"\n]*)/m.exec(release)?.[1],
    kernel: os.release(),
    architecture: os.arch(),
    node: process.version,
    memory: os.totalmem(),
    freeMemory: os.freemem(),
    processors: os.availableParallelism(),
    filesystems: (await fs.readFile('/proc/filesystems', 'utf8'))
      .split('\n')
      .filter(Boolean),
  }
}

async function holders(place: Place): Promise<object> {
  const holds = await holdsAt(place)
  return Object.fromEntries(
    [...holds].map(([volume, of]) => [volume, Object.fromEntries(of)]),
  )
}

/** Those beneath what is ours, and no others: paths tell much of a machine. */
function mounts({ mounts: all, stores, settings }: Place): readonly object[] {
  const ours = [settings.dataRoot, ...stores.map(({ directory }) => directory)]
  return all
    .filter(({ mountpoint }) =>
      ours.some((path) => `${mountpoint}/`.startsWith(`${path}/`)),
    )
    .map(({ mountpoint, type, options, superOptions }) => ({
      mountpoint,
      type,
      options,
      superOptions,
    }))
}

function docker({ docker: state, settings }: Place): object {
  if ('reason' in state) return state
  const { version, info, containers, plugins, driverNames } = state
  return {
    version,
    info,
    socket: settings.socket,
    driverNames: [...driverNames],
    plugins: plugins.map(({ id, name, isEnabled }) => ({
      id,
      name,
      isEnabled,
    })),
    containers: containers.length,
    users: containers
      .filter(({ mounts: of }) => of.some((it) => driverNames.has(it.driver)))
      .map(({ name, state: now, mounts: of }) => ({
        name,
        state: now,
        volumes: of
          .filter(({ driver }) => driverNames.has(driver))
          .map((mount) => mount.name),
      })),
  }
}
