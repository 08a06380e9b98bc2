import { completionScript, offerFor, SHELLS } from '../completion.ts'
import { knownNames } from '../known-names.ts'
import { manPage } from '../man-page.ts'
import type { Verb } from '../verb.ts'

/** What shells and manuals are fed with. They are given the other verbs to tell of. */
export function completionVerbs(verbs: () => readonly Verb[]): readonly Verb[] {
  return [
    {
      name: 'completion',
      summary: 'Print what teaches a shell to complete commands',
      isPlain: true,
      parameters: [
        { name: 'shell', about: SHELLS.join(', '), completes: SHELLS },
      ],
      examples: [
        {
          line: 'stowage completion bash > /etc/bash_completion.d/stowage',
          does: 'for all users of bash',
        },
      ],
      async run(given, session) {
        const shell = given.choice('shell', SHELLS) ?? 'bash'
        session.terminal.print(completionScript(shell))
      },
    },
    {
      name: 'complete',
      summary: 'Print what may stand where a command line ends, for a shell',
      isPlain: true,
      parameters: [
        {
          name: 'word',
          about: 'the words so far, the last one unfinished',
          isMany: true,
          isOptional: true,
        },
      ],
      examples: [
        { line: 'stowage complete -- volume in', does: 'prints "inspect"' },
      ],
      async run(given, session) {
        const typed = given.list('word')
        const { words, more } = offerFor(typed, verbs())
        const known = await knownNames(more, typed, session)
        const fitting = [...words, ...known].filter((word) =>
          word.startsWith(typed.at(-1) ?? ''),
        )
        session.terminal.print(fitting.map((word) => `${word}\n`).join(''))
      },
    },
    {
      name: 'man',
      summary: 'Print the manual page, for man to show',
      isPlain: true,
      examples: [
        { line: 'stowage man | man -l -', does: 'read it' },
        {
          line: 'stowage man > /usr/local/share/man/man8/stowage.8',
          does: 'install it',
        },
      ],
      async run(_given, session) {
        const { version } = session.surroundings
        session.terminal.print(manPage(verbs(), version))
      },
    },
  ]
}
