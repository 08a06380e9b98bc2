import { NotSupportedError } from '../base/errors.ts'
import type { VolumeOptions } from './volume-options.ts'
import type { VolumeStorer } from './volume-storer.ts'

/** What a store must be able to do for each option that asks something of it. */
const NEEDED = {
  capacity: 'capacity',
  from: 'from',
  path: 'path',
  uid: 'ownership',
  gid: 'ownership',
  mode: 'ownership',
  ro: 'ro',
} as const

/**
 * Refuses options that `store` would only pretend to honour.
 *
 * @throws NotSupportedError with the option and the store's reason.
 */
export function refuseUnable(
  options: VolumeOptions,
  { name, capabilities }: VolumeStorer,
): void {
  for (const [option, value] of Object.entries(options)) {
    if (!isNeedful(option) || value === undefined || value === false) continue
    const ability = capabilities[NEEDED[option]]
    if (ability === true) continue
    const advice =
      option === 'from' && capabilities.clone === true
        ? ': use "stowage clone"'
        : ''
    throw new NotSupportedError(
      `Volume store "${name}" cannot honour the option "${option}", because ${ability.because}${advice}`,
    )
  }
}

function isNeedful(option: string): option is keyof typeof NEEDED {
  return Object.hasOwn(NEEDED, option)
}
