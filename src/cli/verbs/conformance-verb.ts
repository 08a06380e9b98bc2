import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  InvalidArgumentError,
  isErrno,
  UnavailableError,
} from '../../base/errors.ts'
import { examine, type ExamineOptions } from '../../conformance/wire/examine.ts'
import type { Outcome } from '../../conformance/wire/check.ts'
import {
  outcomeText,
  scorecard,
  summaryText,
} from '../../conformance/wire/scorecard.ts'
import { exitCode } from '../exit-codes.ts'
import type { Verb } from '../verb.ts'

export const conformanceVerb: Verb = {
  name: 'conformance',
  summary: 'Examine any running plugin, whatever it is written in',
  details:
    'It talks to the plugin as dockerd does, and tells which promises the plugin keeps. It creates volumes and layers whose names begin with "conformance-", and removes them. Do not examine the graph driver of a Docker daemon that runs',
  parameters: [
    { name: 'address', about: 'unix:///run/docker/plugins/NAME.sock' },
  ],
  options: [
    {
      name: 'opt',
      short: 'o',
      value: 'KEY=VALUE',
      about:
        'an option that a volume needs to be created; "{name}" in it is its name',
      isMany: true,
    },
    {
      name: 'restart',
      value: 'COMMAND',
      about:
        'a program and its arguments that restart the plugin, for the checks that need it',
    },
    {
      name: 'home',
      value: 'PATH',
      about: 'where a graph driver keeps the layers of the examination',
      completes: 'file',
    },
    {
      name: 'only',
      value: 'WORDS',
      about: 'only the promises that have these words',
    },
  ],
  examples: [
    {
      line: 'stowage conformance unix:///run/docker/plugins/rclone.sock -o remote=:local:/srv/rclone/{name}',
      does: 'a scorecard of another plugin',
    },
    {
      line: 'stowage conformance unix:///run/docker/plugins/stowage.sock --restart "systemctl restart stowage" --json',
      does: 'with restarts, for programs',
    },
  ],
  async run(given, session) {
    const address = given.text('address')
    const command = given.maybe('restart')
    const home = given.maybe('home')
    const outcomes = await examined(socketIn(address), {
      volumeOptions: given.pairs('opt'),
      restart: command === undefined ? undefined : () => run(command),
      only: given.maybe('only'),
      ...(home === undefined ? {} : { home }),
      onOutcome: (outcome) => {
        if (!session.isJson) session.terminal.print(outcomeText(outcome))
      },
    })
    const card = scorecard(address, outcomes)
    session.show(card, () => summaryText(card))
    return exitCode(card.conforms ? 'done' : 'unhealthy')
  },
}

function socketIn(address: string): string {
  const path = address.replace(/^unix:\/\//, '')
  if (path.startsWith('/')) return path
  throw new InvalidArgumentError(
    `"${address}" is not the address of a plugin: it should be like "unix:///run/docker/plugins/NAME.sock"`,
  )
}

/** @throws UnavailableError when nobody answers at all. */
async function examined(
  socket: string,
  options: ExamineOptions,
): Promise<readonly Outcome[]> {
  try {
    return await examine(socket, options)
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ECONNREFUSED', 'ENOTSOCK')) throw error
    throw new UnavailableError(`No plugin answers at "${socket}"`, {
      cause: error,
    })
  }
}

/** What it leaves running, such as the plugin itself, is not waited for. */
async function run(command: string): Promise<void> {
  const [program = '', ...words] = command.split(/\s+/)
  const child = spawn(program, words, { stdio: 'ignore' })
  const [code] = await once(child, 'exit')
  if (code === 0) return
  throw new Error(`"${command}" ended with ${String(code)}`)
}
