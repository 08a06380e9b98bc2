import { formatBytes, formatTime } from './amounts.ts'
import type { UsedVolume } from './used-volume.ts'

/** All about one volume, a line for each thing that there is to say. */
export function volumeDetails(volume: UsedVolume): string {
  const { name, store, kind, createdAt, capacity, mountpoint } = volume
  const lines: readonly (readonly [label: string, text: string | undefined])[] =
    [
      ['Name', name],
      ['Store', `${store} (${kind})`],
      ['Created', createdAt && formatTime(createdAt)],
      ['Capacity', capacity === undefined ? 'no limit' : formatBytes(capacity)],
      ['Files', mountpoint],
      ['Link', volume.link],
      ['Protected', volume.isProtected ? 'yes' : undefined],
      ['Read-only', volume.isReadOnly ? 'yes' : undefined],
      ['Adopted', volume.isAdopted ? 'yes' : undefined],
      ['Problem', volume.problem],
      ...pairs('Option', volume.options),
      ...pairs('Label', volume.labels),
      ...volume.users.map(
        ({ name: user, state }) => ['Used by', `${user} (${state})`] as const,
      ),
    ]
  return lines
    .filter(([, text]) => text !== undefined)
    .map(([label, text]) => `${`${label}:`.padEnd(WIDTH)}${text}\n`)
    .join('')
}

const WIDTH = 12

function pairs(
  label: string,
  of: Readonly<Record<string, string>>,
): readonly (readonly [string, string])[] {
  return Object.entries(of).map(([key, value]) => [label, `${key}=${value}`])
}
