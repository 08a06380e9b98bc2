import type { EventView } from '../../admin/contract/daemon-endpoints.ts'
import { formatTime } from '../amounts.ts'
import type { Verb } from '../verb.ts'

export const eventsVerb: Verb = {
  name: 'events',
  summary: 'Follow what changes, or tell what has changed',
  options: [
    {
      name: 'last',
      value: 'COUNT',
      about: 'tell the last changes from the audit log, and end',
    },
  ],
  examples: [
    { line: 'stowage events', does: 'each change as it happens, until Ctrl-C' },
    { line: 'stowage events --last 20', does: 'who did what lately' },
  ],
  async run(given, session) {
    const daemon = await session.daemon()
    const last = given.count('last')
    const events =
      last === undefined
        ? daemon.follow('followEvents', {})
        : daemon.follow('readAudit', { query: { limit: last } })
    for await (const event of events) {
      session.showLine(event, () => eventText(event))
    }
  },
}

function eventText(event: EventView): string {
  const { time, front, operation, subject, result, caller } = event
  const who = caller === undefined ? '' : ` by uid ${caller.uid}`
  const why = event.message === undefined ? '' : `: ${event.message}`
  const what = [front, operation, subject, result].filter(Boolean).join(' ')
  return `${formatTime(time)}  ${what}${who}${why}\n`
}
