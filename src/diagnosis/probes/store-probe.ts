import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { SILENT } from '../../base/log.ts'
import { readFormat } from '../../state/disk-format.ts'
import { namesIn } from '../../state/listing.ts'
import { NameJournal } from '../../state/name-journal.ts'
import * as layout from '../../volume/folder-layout.ts'
import { storeSource } from '../../volume/volume-stores.ts'
import { type Finding, finding, type Probe } from '../finding.ts'
import type { ExaminedStore, Place } from '../place.ts'

/** How long something may be in the making, or on its way out. */
const LONG = 3_600_000

/** The directories of the stores, as such. */
export const storeProbe: Probe = {
  name: 'stores',
  async run(place) {
    const findings: Finding[] = []
    for (const store of place.stores) {
      findings.push(
        ...(await away(store, place)),
        ...(await foreign(store)),
        ...(await leftovers(store, place)),
      )
    }
    return findings
  },
}

async function away(
  { name, directory }: ExaminedStore,
  { settings }: Place,
): Promise<readonly Finding[]> {
  if ((await namesIn(directory)).includes(layout.FORMAT_FILE)) return []
  const journal = join(settings.dataRoot, 'state/volume-names', name)
  const { names } = await NameJournal.open(journal)
  if (names.size === 0) return []
  return [
    finding('store-away', name, {
      explanation: `Store "${name}" had ${names.size} volumes, and there is no store in "${directory}". Most likely its filesystem is not mounted. Docker still sees the volumes; containers that need them cannot start`,
      advice: `Mount the filesystem at "${directory}": the daemon finds the volumes by itself`,
    }),
  ]
}

async function foreign({
  name,
  kind,
  directory,
}: ExaminedStore): Promise<readonly Finding[]> {
  const format = await readFormat(join(directory, layout.FORMAT_FILE))
  if (format === undefined || format.kind === kind) return []
  return [
    finding('store-foreign', name, {
      explanation: `Store "${name}" is set to be of kind ${kind}, and "${directory}" holds a store of kind ${format.kind}. It stays offline`,
      advice: `Set its kind to ${format.kind}, or give it another directory`,
    }),
  ]
}

async function leftovers(
  store: ExaminedStore,
  { isRunning, settings }: Place,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const entry of await namesIn(store.directory)) {
    const isDraft = entry.startsWith(layout.DRAFT_PREFIX)
    if (!isDraft && !entry.startsWith(layout.REMOVED_PREFIX)) continue
    const path = join(store.directory, entry)
    const age = Date.now() - (await fs.lstat(path)).ctimeMs
    if (isRunning && age < LONG) continue
    findings.push(leftover(path, isDraft, store, settings.dataRoot))
  }
  return findings
}

function leftover(
  path: string,
  isDraft: boolean,
  store: ExaminedStore,
  dataRoot: string,
): Finding {
  return finding('leftover', path, {
    explanation: `"${path}" is a volume that was ${isDraft ? 'half made' : 'half removed'} when a daemon ended. Nobody can see it, and it takes room`,
    advice: 'Start the daemon, which sweeps it away',
    repair: {
      action: 'sweep the store, as a start of the daemon does',
      needsStopped: true,
      async apply() {
        const source = storeSource(store, { dataRoot, log: SILENT })
        await (await source.open({ isKnown: true })).close()
      },
    },
  })
}
