import {
  optionName,
  parseVolumeOptions,
  type VolumeOptions,
} from './volume-options.ts'

/** New texts of some options by name; `undefined` for one that is given no more. */
export type OptionChanges = Readonly<Record<string, string | undefined>>

/**
 * `options` as they would be if `changes` had been typed in place of what was.
 *
 * @throws InvalidArgumentError for an option that does not exist, or cannot have
 *   the value.
 */
export function changedOptions(
  options: VolumeOptions,
  changes: OptionChanges,
): VolumeOptions {
  const changed = new Set(Object.keys(changes).map(optionName))
  const kept = Object.entries(options.typed).filter(
    ([spelling]) => !changed.has(optionName(spelling)),
  )
  const given = Object.entries(changes).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, text] as const],
  )
  return parseVolumeOptions(Object.fromEntries([...kept, ...given]))
}
