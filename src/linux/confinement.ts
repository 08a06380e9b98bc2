import type { ConfinedRoot } from './confined-root.ts'
import { openInRoot } from './in-root.ts'
import { mayHaveOwnRoot, openOwnRoot } from './own-root.ts'

/** How a thread is confined: to a root of its own, or call by call by openat2(2). */
export type Confinement = 'own-root' | 'in-root'

let best: Confinement | undefined

/** Confines to `path` in the given way, or in the best that this thread may use. */
export function confine(path: string, confinement?: Confinement): ConfinedRoot {
  best ??= mayHaveOwnRoot() ? 'own-root' : 'in-root'
  return (confinement ?? best) === 'own-root'
    ? openOwnRoot(path)
    : openInRoot(path)
}
