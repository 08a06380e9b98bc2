import { finding, type Probe } from '../finding.ts'

/** What the environment says, before anything is done with it. */
export const settingsProbe: Probe = {
  name: 'settings',
  run: async ({ complaints, strangers }) => [
    ...complaints.map((complaint) =>
      finding('bad-setting', nameIn(complaint), {
        explanation: `${complaint}. A daemon with this setting does not start`,
        advice:
          'Correct it where the daemon is started from, and start it again',
      }),
    ),
    ...strangers.map((name) =>
      finding('unknown-setting', name, {
        explanation: `${name} is set and means nothing to Stowage`,
        advice: 'Look for a misspelling: "stowage --help" lists all settings',
      }),
    ),
  ],
}

/** A complaint begins with the variable, or is of what goes with the stores' one. */
function nameIn(complaint: string): string {
  return /^STOWAGE_\w+/.exec(complaint)?.[0] ?? 'STOWAGE_STORES'
}
