import { exitCode } from '../exit-codes.ts'
import { formatBytes, formatCount } from '../amounts.ts'
import { table } from '../table.ts'
import type { Verb } from '../verb.ts'

const STORE = {
  name: 'store',
  about: 'its name',
  completes: 'store',
} as const

/** The places that keep volumes. */
export const storeVerbs: readonly Verb[] = [
  {
    name: 'store ls',
    summary: 'List the stores of volumes, and how they are',
    examples: [
      {
        line: 'stowage store ls',
        does: 'room, trash, and whether each is well',
      },
      {
        line: 'stowage store ls --json | jq .[].cannot',
        does: 'what each cannot do, and why',
      },
    ],
    async run(_given, session) {
      const daemon = await session.daemon()
      const stores = await daemon.ask('listStores', {})
      session.show(stores, () =>
        table(
          [
            { title: 'STORE', cell: ({ name }) => name, isFlexible: true },
            { title: 'KIND', cell: ({ kind }) => kind },
            { title: 'STATE', cell: ({ state }) => state },
            {
              title: 'VOLUMES',
              cell: ({ volumes }) => String(volumes),
              align: 'right',
            },
            {
              title: 'FREE',
              cell: ({ free }) => amountOf(free),
              align: 'right',
            },
            {
              title: 'TRASH',
              cell: ({ trash }) => amountOf(trash),
              align: 'right',
            },
            { title: 'PATH', cell: ({ path }) => path, isFlexible: true },
          ],
          stores,
          session.terminal.tableWidth,
        ),
      )
    },
  },
  {
    name: 'store add',
    summary: 'Add a store while the daemon runs, for good',
    parameters: [{ name: 'spec', about: 'NAME=KIND:PATH?key=value&…' }],
    examples: [
      {
        line: 'stowage store add fast=btrfs:/mnt/nvme/volumes',
        does: 'volumes go there by --opt store=fast',
      },
    ],
    async run(given, session) {
      const daemon = await session.daemon()
      const store = await daemon.ask('addStore', {
        body: { spec: given.text('spec') },
      })
      session.show(
        store,
        () => `Added ${store.name}, a ${store.kind} store in ${store.path}\n`,
      )
    },
  },
  {
    name: 'store check',
    summary: 'Read a store anew, and tell what is wrong in it',
    parameters: [STORE],
    examples: [
      {
        line: 'stowage store check default',
        does: 'after something was repaired by hand',
      },
    ],
    async run(given, session) {
      const daemon = await session.daemon()
      const checked = await daemon.ask('checkStore', {
        params: { store: given.text('store') },
      })
      const { store, problems } = checked
      session.show(checked, () =>
        [
          `${store.name} is ${store.state}, with ${formatCount(store.volumes, 'volume')}\n`,
          ...problems.map(({ volume, reason }) => `  ${volume}: ${reason}\n`),
          ...store.repairs.map(
            ({ volume, repair }) => `  ${volume} was put right: ${repair}\n`,
          ),
        ].join(''),
      )
      return exitCode(problems.length > 0 ? 'unhealthy' : 'done')
    },
  },
  {
    name: 'store rm',
    summary: 'Let go of an added store; its volumes stay on disk',
    parameters: [STORE],
    examples: [{ line: 'stowage store rm fast', does: 'nothing is deleted' }],
    async run(given, session) {
      const store = given.text('store')
      const daemon = await session.daemon()
      await daemon.ask('removeStore', { params: { store } })
      session.show({ removed: store }, () => `Let go of ${store}\n`)
    },
  },
]

function amountOf(bytes: number | undefined): string {
  return bytes === undefined ? '-' : formatBytes(bytes)
}
