import type { Place } from './place.ts'

/** `error`: something does not work. `warning`: it will not for long, or is wrong. */
export type Severity = 'error' | 'warning' | 'note'

/**
 * Everything that a diagnosis can find, by the code that programs may rely on. Each
 * is explained to people by its finding, which knows the case at hand.
 */
export const FINDINGS = {
  'bad-setting': ['error', 'A setting has a value that is not accepted'],
  'unknown-setting': ['warning', 'A variable looks like a setting and is none'],
  'not-running': ['note', 'No daemon is running'],
  'stale-socket': ['error', 'Nobody answers at a socket'],
  'not-a-socket': ['error', 'Something else is where a socket should be'],
  'open-socket': ['warning', 'A socket lets in more than it should'],
  'socket-among-plugins': [
    'error',
    'Docker takes the admin socket for a plugin',
  ],
  'new-data-root': ['note', 'The data root is not there yet'],
  'open-data-root': ['warning', 'Others may list the data root'],
  'read-only-data-root': ['error', 'The data root cannot be written'],
  'foreign-data-root': ['error', 'The data root is not in a form known here'],
  'store-away': ['error', 'A store held volumes and its directory does not'],
  'store-foreign': ['error', 'A store’s directory belongs to another kind'],
  'store-cannot': ['error', 'A kind of store cannot work where it is'],
  'missing-program': ['error', 'A program that a store needs is not installed'],
  'no-loop-devices': ['error', 'The kernel offers no loop devices'],
  'no-overlay': ['error', 'The kernel offers no overlay filesystem'],
  leftover: ['warning', 'Something half made or half removed was left behind'],
  'stray-entry': [
    'warning',
    'Something that is no volume is among the volumes',
  ],
  'damaged-record': ['error', 'A volume’s record cannot be read'],
  'lost-files': ['error', 'A volume has a record, and no files'],
  'twin-volumes': ['error', 'Two stores have a volume of one name'],
  'missing-volume': ['error', 'A container needs a volume that is not there'],
  'leftover-mount': ['warning', 'A volume is mounted, and nobody holds it'],
  'foreign-mount': ['warning', 'Something else is mounted inside a volume'],
  'leftover-loop': ['warning', 'A loop device shows an image that nobody uses'],
  'stale-hold': [
    'warning',
    'A volume is held by what is no container any more',
  ],
  'docker-away': ['note', 'Docker does not answer'],
  'docker-without-layers': ['note', 'This Docker cannot keep layers here'],
  'docker-needs-variable': [
    'warning',
    'This Docker needs a variable for layers',
  ],
  'plugin-disabled': ['error', 'The plugin is installed and disabled'],
  'missing-layer': ['error', 'Docker names a layer that is not there'],
  'orphan-layer': ['warning', 'A layer is there that Docker does not name'],
  'broken-layer': ['error', 'A layer stands on one that is not there'],
  'disk-full': ['error', 'A filesystem is full'],
  'disk-filling': ['warning', 'A filesystem is nearly full'],
  'inodes-out': ['error', 'A filesystem can take no more files'],
  'inodes-filling': ['warning', 'A filesystem can take few more files'],
  'probe-failed': ['warning', 'Something could not be examined'],
} as const satisfies Record<string, readonly [Severity, string]>

export type FindingCode = keyof typeof FINDINGS

/** What sets a finding right, where a program may. */
export interface Repair {
  /** What is done, in words that follow "Would" and a name: `remove the socket`. */
  readonly action: string
  /** Whether a running daemon stands in the way, because it owns what is changed. */
  readonly needsStopped: boolean
  apply(): Promise<void>
}

/**
 * One thing that was found, told so that who reads it can act: what it is, what
 * follows from it, and what to do.
 */
export interface Finding {
  readonly code: FindingCode
  readonly severity: Severity
  /** A line that says what kind of thing this is. */
  readonly title: string
  /** What it is about: a path, a name. */
  readonly subject: string
  /** What was seen, and what follows from it. */
  readonly explanation: string
  /** What to do about it. */
  readonly advice: string
  readonly repair?: Repair
}

export interface FindingDetails {
  readonly explanation: string
  readonly advice: string
  readonly repair?: Repair | undefined
}

export function finding(
  code: FindingCode,
  subject: string,
  { explanation, advice, repair }: FindingDetails,
): Finding {
  const [severity, title] = FINDINGS[code]
  const told = { code, severity, title, subject, explanation, advice }
  return repair === undefined ? told : { ...told, repair }
}

/** One thing to look at. What it cannot see at all it throws. */
export interface Probe {
  /** What it looks at, such as `sockets`. */
  readonly name: string
  run(place: Place): Promise<readonly Finding[]>
}
