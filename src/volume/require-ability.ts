import { InUseError, NotSupportedError } from '../base/errors.ts'
import type { CopyOptions } from './copy-options.ts'
import type { VolumeCapabilities, VolumeStorer } from './volume-storer.ts'

/** What a store may be unable to do, in words that follow "cannot". */
const WORDS = {
  clone: 'clone volumes',
  snapshots: 'keep snapshots of volumes',
  pause: 'keep writers waiting',
  grow: 'give volumes more capacity',
  shrink: 'give volumes less capacity',
  rename: 'rename volumes',
} as const satisfies Partial<Record<keyof VolumeCapabilities, string>>

/**
 * Refuses what `store` cannot do.
 *
 * @throws NotSupportedError with the store's reason.
 */
export function requireAbility(
  { name, capabilities }: VolumeStorer,
  needed: keyof typeof WORDS,
): void {
  const ability = capabilities[needed]
  if (ability === true) return
  throw new NotSupportedError(
    `Volume store "${name}" cannot ${WORDS[needed]}, because ${ability.because}`,
  )
}

/**
 * Refuses to copy the volume `name` while `holders` have it, where the copy would
 * not be of one moment.
 *
 * @throws InUseError that says what to do about it.
 * @throws NotSupportedError when writers are to wait and the store cannot make them.
 */
export function requireCopyable(
  name: string,
  store: VolumeStorer,
  { holders, pause = false }: CopyOptions & { holders: readonly string[] },
): void {
  const { live, pause: canPause } = store.capabilities
  if (live === true || holders.length === 0) return
  if (pause) {
    requireAbility(store, 'pause')
    return
  }
  const advice =
    canPause === true
      ? 'stop its containers, or snapshot it with --pause'
      : 'stop its containers first'
  throw new InUseError(
    `Volume "${name}" is in use by ${holders.join(', ')}, and volume store "${store.name}" cannot copy it meanwhile, because ${live.because}: ${advice}`,
  )
}
