import type { WhoUses } from '../../docker/who-uses.ts'
import type { VolumeView } from '../../admin/contract/volume-endpoints.ts'
import { formatBytes, formatTime } from '../amounts.ts'
import type { Given } from '../given.ts'
import { type OneByOne, oneByOne } from '../one-by-one.ts'
import type { Session } from '../session.ts'
import { table } from '../table.ts'
import type { Verb } from '../verb.ts'
import { volumeDetails } from '../volume-details.ts'
import { usersOf, type UsedVolume } from '../used-volume.ts'

const NAME = {
  name: 'volume',
  about: 'its name',
  completes: 'volume',
} as const

/** Volumes: look at them, make them, remove them. */
export const volumeVerbs: readonly Verb[] = [
  {
    name: 'volume ls',
    summary: 'List volumes, and the containers that use them',
    options: [
      {
        name: 'store',
        value: 'NAME',
        about: 'only those of one store',
        completes: 'store',
      },
      {
        name: 'label',
        value: 'KEY[=VALUE]',
        about: 'only those with this label',
        isMany: true,
      },
      { name: 'held', about: 'only those that somebody holds' },
      { name: 'quiet', short: 'q', about: 'print names alone' },
    ],
    examples: [
      { line: 'stowage volume ls', does: 'everything there is' },
      {
        line: 'stowage volume ls --label tier=db --quiet',
        does: 'the names of the databases, for a script',
      },
    ],
    async run(given, session) {
      const daemon = await session.daemon()
      const volumes = await daemon.ask('listVolumes', {
        query: {
          store: given.maybe('store'),
          label: [...given.list('label')],
          held: given.flag('held') ? 'true' : 'false',
        },
      })
      const who = await session.whoUses()
      const used = volumes.map((volume) => withUsers(volume, who))
      session.show(used, () =>
        given.flag('quiet')
          ? volumes.map(({ name }) => `${name}\n`).join('')
          : listing(used, session),
      )
    },
  },
  {
    name: 'volume inspect',
    summary: 'Tell all about volumes',
    parameters: [{ ...NAME, isMany: true }],
    examples: [
      { line: 'stowage volume inspect db', does: 'who uses it, and how it is' },
      {
        line: 'stowage volume inspect db --json | jq .[0].mountpoint',
        does: 'where its files are',
      },
    ],
    async run(given, session) {
      const daemon = await session.daemon()
      const who = await session.whoUses()
      const found: UsedVolume[] = []
      for (const name of given.list('volume')) {
        const volume = await daemon.ask('inspectVolume', { params: { name } })
        found.push(withUsers(volume, who))
      }
      session.show(found, () => found.map(volumeDetails).join('\n'))
    },
  },
  {
    name: 'volume create',
    summary: 'Create a volume',
    details:
      'Options are those of "docker volume create --opt": "docker volume create --driver stowage --opt help x" lists them',
    parameters: [{ name: 'name', about: 'what it will be called' }],
    options: [
      {
        name: 'opt',
        short: 'o',
        value: 'KEY=VALUE',
        about: 'an option of the volume',
        isMany: true,
      },
      {
        name: 'label',
        value: 'KEY=VALUE',
        about: 'a label to keep with it',
        isMany: true,
      },
    ],
    examples: [
      {
        line: 'stowage volume create db -o capacity=10GiB -o store=fast',
        does: 'a volume that cannot hold more than 10 GiB',
      },
      {
        line: 'stowage volume create web --label tier=front',
        does: 'a volume with a label to find it by',
      },
    ],
    async run(given, session) {
      const labels = Object.entries(given.pairs('label')).map(
        ([key, value]) => [`label.${key}`, value] as const,
      )
      const daemon = await session.daemon()
      const volume = await daemon.ask('createVolume', {
        body: {
          name: given.text('name'),
          options: { ...given.pairs('opt'), ...Object.fromEntries(labels) },
        },
      })
      session.show(volume, () => `Created ${volume.name}\n`)
    },
  },
  {
    name: 'volume rm',
    summary: 'Remove volumes; they go to the trash',
    parameters: [{ ...NAME, isMany: true }],
    examples: [
      { line: 'stowage volume rm old older', does: 'two volumes at once' },
    ],
    async run(given, session) {
      const daemon = await session.daemon()
      const work: OneByOne = {
        act: (name) => daemon.ask('removeVolume', { params: { name } }),
        text: (name) => `Removed ${name}`,
        value: (removed) => ({ removed }),
      }
      await oneByOne(given.list('volume'), work, session)
    },
  },
  {
    name: 'volume du',
    summary: 'Measure what volumes hold',
    parameters: [{ ...NAME, isMany: true, isOptional: true }],
    examples: [
      { line: 'stowage volume du', does: 'all volumes' },
      { line: 'stowage volume du db', does: 'one of them' },
    ],
    run: measure,
  },
]

/** What each of the volumes holds, one after the other: it is counted now. */
async function measure(given: Given, session: Session): Promise<void> {
  const daemon = await session.daemon()
  const asked = given.list('volume')
  const volumes = await daemon.ask('listVolumes', { query: {} })
  const names = asked.length > 0 ? asked : volumes.map(({ name }) => name)
  const measured: MeasuredVolume[] = []
  for (const name of names) {
    const usage = await daemon.ask('measureVolume', { params: { name } })
    measured.push({ name, ...usage })
  }
  session.show(measured, () => measures(measured, session))
}

function measures(
  volumes: readonly MeasuredVolume[],
  session: Session,
): string {
  return table(
    [
      { title: 'NAME', cell: ({ name }) => name, isFlexible: true },
      {
        title: 'FILES',
        cell: ({ bytes }) => formatBytes(bytes),
        align: 'right',
      },
      {
        title: 'ON DISK',
        cell: ({ allocated }) => formatBytes(allocated),
        align: 'right',
      },
      { title: 'INODES', cell: ({ inodes }) => String(inodes), align: 'right' },
      {
        title: 'CAPACITY',
        cell: ({ capacity }) => capacityOf(capacity),
        align: 'right',
      },
      {
        title: 'USED',
        cell: ({ bytes, capacity }) => shareOf(bytes, capacity),
        align: 'right',
      },
    ],
    volumes,
    session.terminal.tableWidth,
  )
}

interface MeasuredVolume {
  readonly name: string
  readonly bytes: number
  readonly allocated: number
  readonly inodes: number
  readonly capacity?: number | undefined
}

function withUsers(volume: VolumeView, who: WhoUses): UsedVolume {
  return { ...volume, users: usersOf(volume, who) }
}

function listing(volumes: readonly UsedVolume[], session: Session): string {
  return table(
    [
      { title: 'NAME', cell: ({ name }) => name, isFlexible: true },
      { title: 'STORE', cell: ({ store }) => store, isFlexible: true },
      { title: 'KIND', cell: ({ kind }) => kind },
      {
        title: 'CAPACITY',
        cell: ({ capacity }) => capacityOf(capacity),
        align: 'right',
      },
      {
        title: 'CREATED',
        cell: ({ createdAt }) =>
          createdAt === undefined ? '-' : formatTime(createdAt),
      },
      { title: 'STATE', cell: stateOf },
      { title: 'USED BY', cell: usersText, isFlexible: true },
    ],
    volumes,
    session.terminal.tableWidth,
  )
}

/** What is to be known of it at a glance. */
function stateOf({
  problem,
  isProtected,
  isReadOnly,
  isAdopted,
}: UsedVolume): string {
  if (problem !== undefined) return 'broken'
  const words = [
    isProtected ? 'protected' : '',
    isReadOnly ? 'ro' : '',
    isAdopted ? 'adopted' : '',
  ]
  return words.filter(Boolean).join(',') || 'ok'
}

function usersText({ users }: UsedVolume): string {
  return users.length === 0 ? '-' : users.map(({ name }) => name).join(', ')
}

function capacityOf(capacity: number | undefined): string {
  return capacity === undefined ? '-' : formatBytes(capacity)
}

function shareOf(bytes: number, capacity: number | undefined): string {
  if (capacity === undefined || capacity === 0) return '-'
  return `${Math.round((bytes / capacity) * 100)}%`
}
