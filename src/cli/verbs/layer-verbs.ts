import { formatBytes } from '../amounts.ts'
import { exitCode } from '../exit-codes.ts'
import { layerNames } from '../layer-names.ts'
import { table } from '../table.ts'
import type { Verb } from '../verb.ts'

/** The layers of Docker's images. */
export const layerVerbs: readonly Verb[] = [
  {
    name: 'layer ls',
    summary: 'List layers, and the containers that stand on them',
    examples: [
      { line: 'stowage layer ls', does: 'those that Docker has here' },
    ],
    async run(_given, session) {
      const daemon = await session.daemon()
      const { home, driver, layers } = await daemon.ask('listLayers', {})
      const names = await layerNames(home, await session.whoUses())
      const named = layers.map((layer) => ({ ...layer, for: names(layer.id) }))
      session.show({ home, driver, layers: named }, () =>
        table(
          [
            { title: 'LAYER', cell: ({ id }) => id, isFlexible: true },
            {
              title: 'PARENT',
              cell: ({ parent }) => parent || '-',
              isFlexible: true,
            },
            { title: 'STATE', cell: (it) => (it.isSealed ? 'sealed' : 'open') },
            {
              title: 'MOUNTED',
              cell: ({ isMounted }) => (isMounted ? 'yes' : 'no'),
            },
            {
              title: 'FOR',
              cell: (layer) => layer.for ?? '-',
              isFlexible: true,
            },
          ],
          named,
          session.terminal.tableWidth,
        ),
      )
    },
  },
  {
    name: 'layer du',
    summary: 'Measure what each layer adds to its parent',
    examples: [{ line: 'stowage layer du', does: 'the largest first' }],
    async run(_given, session) {
      const daemon = await session.daemon()
      const measured = []
      for await (const layer of daemon.follow('measureLayers', {})) {
        measured.push(layer)
      }
      const layers = measured.toSorted((a, b) => b.bytes - a.bytes)
      session.show({ layers }, () =>
        table(
          [
            { title: 'LAYER', cell: ({ id }) => id, isFlexible: true },
            {
              title: 'ADDS',
              cell: ({ bytes }) => formatBytes(bytes),
              align: 'right',
            },
          ],
          layers,
          session.terminal.tableWidth,
        ),
      )
    },
  },
  {
    name: 'layer check',
    summary: "Compare the layers with dockerd's own records",
    details:
      'BuildKit forgets layers that an image has twice, and a crash of dockerd leaves some: --fix deletes those that are old and that nobody holds',
    options: [
      { name: 'fix', about: 'delete what Docker does not name' },
      {
        name: 'older-than',
        value: 'SECONDS',
        about: 'what counts as old; a day if not given',
      },
    ],
    examples: [
      { line: 'stowage layer check', does: 'look, and change nothing' },
      { line: 'stowage layer check --fix', does: 'make room' },
    ],
    async run(given, session) {
      const daemon = await session.daemon()
      const fix = given.flag('fix')
      const checked = await daemon.ask('checkLayers', {
        body: { fix, olderThan: given.count('older-than') },
      })
      const { orphans, missing, broken, deleted } = checked
      session.show(checked, () =>
        [
          `Compared with ${checked.records ?? 'nothing: dockerd has no records here'}\n`,
          ...missing.map(
            ({ id, as }) => `Missing: ${id}, which Docker names as ${as}\n`,
          ),
          ...broken.map(
            ({ id, parent }) =>
              `Broken: ${id}, whose parent ${parent} is gone\n`,
          ),
          ...orphans
            .filter(({ id }) => !deleted.includes(id))
            .map(
              ({ id, mayGo }) =>
                `Not named: ${id}${mayGo ? '' : ', young or mounted'}\n`,
            ),
          ...deleted.map((id) => `Deleted: ${id}\n`),
          missing.length + broken.length + orphans.length === 0
            ? 'All is well\n'
            : '',
        ].join(''),
      )
      const left = orphans.filter(({ id }) => !deleted.includes(id))
      return exitCode(
        left.length + missing.length + broken.length > 0 ? 'unhealthy' : 'done',
      )
    },
  },
]
