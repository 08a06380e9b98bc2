import * as fs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writeFileAtomic } from '../../state/atomic-file.ts'
import * as layout from '../../volume/folder-layout.ts'
import { rebuildRecord, setRecordAside } from '../../volume/rebuild-record.ts'
import { parseVolumeOptions } from '../../volume/volume-options.ts'
import { formatRecord } from '../../volume/volume-record.ts'
import { type ExaminedVolume, volumesOf } from '../examined-volumes.ts'
import { type Finding, finding, type Probe } from '../finding.ts'

/** The records of volumes beside what is really there. */
export const recordProbe: Probe = {
  name: 'records',
  async run({ stores }) {
    const volumes: ExaminedVolume[] = []
    for (const store of stores) volumes.push(...(await volumesOf(store)))
    return [...volumes.flatMap(examine), ...twins(volumes)]
  },
}

function examine(volume: ExaminedVolume): readonly Finding[] {
  if (!volume.isVolume) return [stray(volume)]
  const findings: Finding[] = []
  if (volume.damage !== undefined) findings.push(damaged(volume))
  if (!volume.hasData) findings.push(lost(volume))
  return findings
}

function stray({ directory }: ExaminedVolume): Finding {
  return finding('stray-entry', directory, {
    explanation: `"${directory}" is no volume: somebody put it there. It is left alone, and its name is taken`,
    advice: 'Move it out of the store',
  })
}

function damaged(volume: ExaminedVolume): Finding {
  const { name, directory, damage, hasData } = volume
  const files = hasData ? 'Its files are there' : 'Its files are gone too'
  return finding('damaged-record', name, {
    explanation: `Volume "${name}" cannot be used: ${damage}. ${files}`,
    advice: `Restore "${join(directory, layout.RECORD)}" from a backup, or let --fix write one without options and set the damaged one aside`,
    repair: hasData
      ? {
          action:
            'set the damaged record aside and write a new one, with "protect"; then "stowage store check" brings the volume back',
          needsStopped: false,
          apply: () => rewriteRecord(volume),
        }
      : undefined,
  })
}

function lost({ name, directory, record }: ExaminedVolume): Finding {
  const adopted = record?.options.path
  const files = adopted ?? join(directory, layout.DATA)
  return finding('lost-files', name, {
    explanation: `Volume "${name}" is on record, and "${files}" does not exist. No container can mount it`,
    advice:
      adopted === undefined
        ? 'Look for its files in a backup or a snapshot and put them there, or remove the volume'
        : 'It was adopted: mount what it stands for there again, or let go of it with "stowage volume release"',
  })
}

/**
 * From its copy, if there is one. Else what the options were is lost; what they did
 * is in the files. Protected, so that nobody prunes it before somebody has looked.
 */
async function rewriteRecord({
  name,
  directory,
  store,
}: ExaminedVolume): Promise<void> {
  const path = join(directory, layout.RECORD)
  const drafts = dirname(dirname(directory))
  if (await rebuildRecord(directory, drafts)) return
  const { birthtime } = await fs.stat(directory)
  const options = parseVolumeOptions({ store: store.name, protect: 'true' })
  const record = { name, createdAt: birthtime.toISOString(), options }
  await setRecordAside(directory)
  await writeFileAtomic(path, formatRecord(record), { drafts })
}

function twins(volumes: readonly ExaminedVolume[]): readonly Finding[] {
  const byName = new Map<string, ExaminedVolume[]>()
  for (const volume of volumes.filter(({ isVolume }) => isVolume)) {
    byName.set(volume.name, [...(byName.get(volume.name) ?? []), volume])
  }
  return [...byName]
    .filter(([, same]) => same.length > 1)
    .map(([name, same]) => twin(name, same))
}

function twin(name: string, same: readonly ExaminedVolume[]): Finding {
  const places = same.map(({ directory }) => `"${directory}"`).join(', ')
  return finding('twin-volumes', name, {
    explanation: `Volume "${name}" is in more than one store: ${places}. Using either would be a guess, so neither is used`,
    advice: 'Look which is the right one, and move the other out of its store',
  })
}
