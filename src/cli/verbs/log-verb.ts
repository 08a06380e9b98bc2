import { LEVELS } from '../../admin/contract/daemon-endpoints.ts'
import type { Verb } from '../verb.ts'

export const logVerb: Verb = {
  name: 'log level',
  summary: 'Tell what the daemon logs, or have it log more or less',
  parameters: [
    {
      name: 'level',
      about: LEVELS.join(', '),
      isOptional: true,
      completes: LEVELS,
    },
  ],
  examples: [
    { line: 'stowage log level', does: 'as it is' },
    { line: 'stowage log level debug', does: 'every request, until a restart' },
  ],
  async run(given, session) {
    const level = given.choice('level', LEVELS)
    const daemon = await session.daemon()
    const now =
      level === undefined
        ? await daemon.ask('readLogLevel', {})
        : await daemon.ask('setLogLevel', { body: { level } })
    session.show(now, () => `${now.level}\n`)
  },
}
