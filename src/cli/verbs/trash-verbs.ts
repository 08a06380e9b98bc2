import { InvalidArgumentError } from '../../base/errors.ts'
import { formatBytes, formatCount, formatTime } from '../amounts.ts'
import type { AdminClient } from '../admin-client.ts'
import { type OneByOne, oneByOne } from '../one-by-one.ts'
import { table } from '../table.ts'
import type { Verb } from '../verb.ts'

const STORE = {
  name: 'store',
  value: 'NAME',
  about: 'only those of one store',
  completes: 'store',
} as const

/** Removed volumes, until they are deleted for good. */
export const trashVerbs: readonly Verb[] = [
  {
    name: 'trash ls',
    summary: 'List removed volumes that can still be restored',
    options: [STORE],
    examples: [{ line: 'stowage trash ls', does: 'and until when' }],
    async run(given, session) {
      const daemon = await session.daemon()
      const entries = await daemon.ask('listTrash', {
        query: { store: given.maybe('store') },
      })
      session.show(entries, () =>
        table(
          [
            // It begins with the time of the removal, and is there to be copied.
            { title: 'ID', cell: ({ id }) => id },
            { title: 'VOLUME', cell: ({ volume }) => volume, isFlexible: true },
            { title: 'STORE', cell: ({ store }) => store, isFlexible: true },
            { title: 'KEPT UNTIL', cell: (it) => formatTime(it.expiresAt) },
            {
              title: 'SIZE',
              cell: ({ bytes }) =>
                bytes === undefined ? '-' : formatBytes(bytes),
              align: 'right',
            },
          ],
          entries,
          session.terminal.tableWidth,
        ),
      )
    },
  },
  {
    name: 'trash restore',
    summary: 'Bring a removed volume back',
    parameters: [
      {
        name: 'id',
        about: 'its id, or the name that the volume had',
        completes: 'trash',
      },
      {
        name: 'name',
        about: 'another name for it, if the old one is taken',
        isOptional: true,
      },
    ],
    examples: [
      { line: 'stowage trash restore db', does: 'the one removed last' },
      { line: 'stowage trash restore db db-again', does: 'beside the new one' },
    ],
    async run(given, session) {
      const daemon = await session.daemon()
      const asked = given.text('id')
      const entries = await daemon.ask('listTrash', { query: {} })
      // The newest of a name is what who removed it by mistake wants back.
      const entry = entries.findLast(
        ({ id, volume }) => id === asked || volume === asked,
      )
      const volume = await daemon.ask('restoreTrash', {
        params: { id: entry?.id ?? asked },
        body: { name: given.maybe('name') },
      })
      session.show(volume, () => `Restored ${volume.name}\n`)
    },
  },
  {
    name: 'trash empty',
    summary: 'Delete removed volumes for good',
    parameters: [
      {
        name: 'id',
        about: 'only these, by their ids',
        isMany: true,
        isOptional: true,
        completes: 'trash',
      },
    ],
    options: [STORE],
    examples: [
      { line: 'stowage trash empty', does: 'all of them' },
      { line: 'stowage trash empty --store fast', does: 'to make room there' },
    ],
    async run(given, session) {
      const daemon = await session.daemon()
      const ids = given.list('id')
      const store = given.maybe('store')
      if (ids.length > 0 && store !== undefined) {
        throw new InvalidArgumentError('Give ids or --store, not both')
      }
      if (ids.length > 0) {
        await oneByOne(ids, deletion(daemon), session)
        return
      }
      const { deleted } = await daemon.ask('emptyTrash', { query: { store } })
      const value = { deleted: deleted.map(({ id }) => id) }
      session.show(
        value,
        () => `Deleted ${formatCount(deleted.length, 'volume')} for good\n`,
      )
    },
  },
]

function deletion(daemon: AdminClient): OneByOne {
  return {
    act: (id) => daemon.ask('removeTrash', { params: { id } }),
    text: (id) => `Deleted ${id} for good`,
    value: (deleted) => ({ deleted }),
  }
}
