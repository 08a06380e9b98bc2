import type { Verb } from '../verb.ts'

export const doctorVerb: Verb = {
  name: 'doctor',
  summary: 'Look for what is wrong, explain it, and repair what can be',
  details:
    'Looks at settings, kernel, sockets, stores, records, mounts, loop devices, disks, Docker and its layers, whether the daemon runs or not. What a running daemon owns is repaired only while it is stopped',
  options: [
    { name: 'fix', about: 'repair what can be repaired' },
    {
      name: 'bundle',
      value: 'FILE',
      about: 'write all that a helper needs to a file, without secrets',
      completes: 'file',
    },
  ],
  examples: [
    { line: 'stowage doctor', does: 'look, and change nothing' },
    { line: 'stowage doctor --fix', does: 'repair what can be' },
    {
      line: 'stowage doctor --bundle stowage.json',
      does: 'a file to send to whoever helps; read it before',
    },
  ],
  // It knows all of the program, which no other verb need wait for.
  run: async (given, session) =>
    (await import('../examination.ts')).runDoctor(given, session),
}
