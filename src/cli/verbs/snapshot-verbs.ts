import { formatTime } from '../amounts.ts'
import { table } from '../table.ts'
import type { Verb } from '../verb.ts'

const VOLUME = {
  name: 'volume',
  about: 'the name of the volume',
  completes: 'volume',
} as const

const SNAPSHOT = {
  name: 'snapshot',
  about: 'the name of the snapshot',
  completes: 'snapshot',
} as const

/** What volumes were at a moment. */
export const snapshotVerbs: readonly Verb[] = [
  {
    name: 'snapshot create',
    summary: 'Keep a volume as it is now',
    parameters: [
      VOLUME,
      {
        name: 'name',
        about: 'what the snapshot will be called; else by the time',
        isOptional: true,
      },
    ],
    options: [
      {
        name: 'pause',
        about:
          'keep its writers waiting, for 10 s at most, where the store cannot copy a volume in use otherwise',
      },
    ],
    examples: [
      {
        line: 'stowage snapshot create db before-upgrade',
        does: 'something to go back to',
      },
    ],
    async run(given, session) {
      const daemon = await session.daemon()
      const snapshot = await daemon.ask('createSnapshot', {
        params: { name: given.text('volume') },
        body: { name: given.maybe('name'), pause: given.flag('pause') },
      })
      session.show(
        snapshot,
        () => `Created ${snapshot.volume}@${snapshot.name}\n`,
      )
    },
  },
  {
    name: 'snapshot ls',
    summary: 'List the snapshots of a volume, the oldest first',
    parameters: [VOLUME],
    examples: [{ line: 'stowage snapshot ls db', does: 'those of one volume' }],
    async run(given, session) {
      const daemon = await session.daemon()
      const snapshots = await daemon.ask('listSnapshots', {
        params: { name: given.text('volume') },
      })
      session.show(snapshots, () =>
        table(
          [
            { title: 'SNAPSHOT', cell: ({ name }) => name, isFlexible: true },
            { title: 'VOLUME', cell: ({ volume }) => volume, isFlexible: true },
            {
              title: 'CREATED',
              cell: ({ createdAt }) => formatTime(createdAt),
            },
          ],
          snapshots,
          session.terminal.tableWidth,
        ),
      )
    },
  },
  {
    name: 'snapshot rm',
    summary: 'Delete snapshots for good',
    parameters: [VOLUME, { ...SNAPSHOT, isMany: true }],
    examples: [
      { line: 'stowage snapshot rm db before-upgrade', does: 'one of them' },
    ],
    async run(given, session) {
      const daemon = await session.daemon()
      const volume = given.text('volume')
      const snapshots = given.list('snapshot')
      for (const snapshot of snapshots) {
        await daemon.ask('removeSnapshot', {
          params: { name: volume, snapshot },
        })
        if (!session.isJson) {
          session.terminal.print(`Deleted ${volume}@${snapshot}\n`)
        }
      }
      if (session.isJson) session.show({ volume, deleted: snapshots }, () => '')
    },
  },
  {
    name: 'snapshot rollback',
    summary: 'Make a volume what it was, and keep what it is as a snapshot',
    parameters: [VOLUME, SNAPSHOT],
    examples: [
      {
        line: 'stowage snapshot rollback db before-upgrade',
        does: 'back, with what is there now kept too',
      },
    ],
    async run(given, session) {
      const daemon = await session.daemon()
      const snapshot = given.text('snapshot')
      const rolled = await daemon.ask('rollbackVolume', {
        params: { name: given.text('volume'), snapshot },
      })
      const { volume, saved } = rolled
      session.show(
        rolled,
        () =>
          `${volume.name} is what it was in ${snapshot}; what it was until now is kept as ${saved.name}\n`,
      )
    },
  },
]
