import { followJob } from '../followed-job.ts'
import type { Verb } from '../verb.ts'

export const cloneVerb: Verb = {
  name: 'clone',
  summary: 'Make a new volume of a volume, or of a snapshot of one',
  details:
    'Where files share blocks (btrfs, xfs) it is done at once; else all is copied, and how far that is can be seen',
  parameters: [
    {
      name: 'source',
      about: 'VOLUME or VOLUME@SNAPSHOT',
      completes: 'volume',
    },
    { name: 'name', about: 'what the new volume will be called' },
  ],
  options: [
    {
      name: 'opt',
      short: 'o',
      value: 'KEY=VALUE',
      about: 'an option of the new volume',
      isMany: true,
    },
  ],
  examples: [
    { line: 'stowage clone db db-test', does: 'a copy to try things on' },
    {
      line: 'stowage clone db@before-upgrade db-then',
      does: 'what it was, beside what it is',
    },
  ],
  async run(given, session) {
    const [name = '', snapshot] = given.text('source').split('@')
    const to = given.text('name')
    const daemon = await session.daemon()
    const job = await daemon.ask('cloneVolume', {
      params: { name },
      body: { to, snapshot, options: given.pairs('opt') },
    })
    const done = await followJob(job, `Cloning ${name}`, session)
    session.show(done, () => `Cloned ${given.text('source')} to ${to}\n`)
  },
}
