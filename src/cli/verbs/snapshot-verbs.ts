import { formatTime } from '../amounts.ts'
import { type OneByOne, oneByOne } from '../one-by-one.ts'
import { FORCE, refuseUsed } from '../refuse-used.ts'
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
      const name = given.text('volume')
      const work: OneByOne = {
        act: (snapshot) =>
          daemon.ask('removeSnapshot', { params: { name, snapshot } }),
        text: (snapshot) => `Deleted ${name}@${snapshot}`,
        value: (deleted) => ({ volume: name, deleted }),
      }
      await oneByOne(given.list('snapshot'), work, session)
    },
  },
  {
    name: 'snapshot rollback',
    summary: 'Make a volume what it was, and keep what it is as a snapshot',
    details:
      'The files of containers that were made with it would change behind their backs, so it is refused while there are any; --force does it all the same, unless somebody has it mounted',
    parameters: [VOLUME, SNAPSHOT],
    options: [FORCE],
    examples: [
      {
        line: 'stowage snapshot rollback db before-upgrade',
        does: 'back, with what is there now kept too',
      },
    ],
    async run(given, session) {
      const name = given.text('volume')
      const snapshot = given.text('snapshot')
      await refuseUsed({ name, done: 'rolled back' }, given, session)
      const daemon = await session.daemon()
      const rolled = await daemon.ask('rollbackVolume', {
        params: { name, snapshot },
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
