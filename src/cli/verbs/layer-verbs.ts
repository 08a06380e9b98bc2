import { formatBytes } from '../amounts.ts'
import { exitCode } from '../exit-codes.ts'
import type { AnswerFrom } from '../operations.ts'
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
            { title: 'LAYER', cell: ({ id }) => shortId(id), isFlexible: true },
            {
              title: 'PARENT',
              cell: ({ parent }) => shortId(parent) || '-',
              isFlexible: true,
            },
            { title: 'STATE', cell: stateOf },
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
      const measured: MeasuredLayer[] = []
      for await (const layer of daemon.follow('measureLayers', {})) {
        measured.push(layer)
      }
      const layers = measured.toSorted((a, b) => b.bytes - a.bytes)
      session.show({ layers }, () =>
        table(
          [
            { title: 'LAYER', cell: ({ id }) => shortId(id), isFlexible: true },
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
      session.show(checked, () => checkText(checked))
      const { orphans, missing, broken, deleted } = checked
      const left = orphans.filter(({ id }) => !deleted.includes(id))
      const wrong = left.length + missing.length + broken.length
      return exitCode(wrong > 0 ? 'unhealthy' : 'done')
    },
  },
]

interface MeasuredLayer {
  readonly id: string
  readonly bytes: number
}

interface LayerState {
  readonly isSealed: boolean
  readonly isMounted: boolean
  readonly isKeptForChildren: boolean
}

/** Docker's own ids are known by their beginnings; JSON has all of them. */
function shortId(id: string): string {
  return id.replace(/^([0-9a-f]{12})[0-9a-f]{52}/, '$1')
}

function stateOf({
  isSealed,
  isMounted,
  isKeptForChildren,
}: LayerState): string {
  const words = [
    isKeptForChildren ? 'removed' : isSealed ? 'sealed' : 'open',
    isMounted ? 'mounted' : '',
  ]
  return words.filter(Boolean).join(',')
}

function checkText({
  records,
  orphans,
  missing,
  broken,
  deleted,
}: AnswerFrom<'checkLayers'>): string {
  if (records === undefined) {
    return "No dockerd's records are beside the layers: nobody can say which are named\n"
  }
  const left = orphans.filter(({ id }) => !deleted.includes(id))
  const findings = [
    ...broken.map(({ id, parent }) => `Broken: ${id}, without ${parent}`),
    ...missing.map(({ id, as }) => `Missing: ${id}, named for ${as}`),
    ...left.map(
      ({ id, mayGo }) => `Not named: ${id}${mayGo ? '' : ', young or mounted'}`,
    ),
    ...deleted.map((id) => `Deleted: ${id}`),
  ]
  const told = findings.length === 0 ? ['All is well'] : findings
  return [`Compared with ${records}`, ...told]
    .map((line) => `${line}\n`)
    .join('')
}
