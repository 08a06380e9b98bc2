import { wrapped } from './cli/wrapped.ts'
import type { SettledSettings } from './cli/settled-settings.ts'
import { readConfig, SETTINGS, strangers } from './config.ts'

const INDENT = ' '.repeat(6)
const WIDTH = 80 - INDENT.length

/** What the settings in an environment come to, be all of them valid or not. */
export function readSettings(env: NodeJS.ProcessEnv): SettledSettings {
  const complaints: string[] = []
  const settings = readConfig(env, ({ message }) => complaints.push(message))
  const values = Object.values(SETTINGS).map(
    ({ name, fallback }) => [name, env[name] || fallback] as const,
  )
  return {
    settings,
    complaints,
    strangers: strangers(env),
    described: new Map(values),
  }
}

/** The daemon's own verb and its settings, after all others. */
export function settingsHelp(): string {
  const settings = Object.values(SETTINGS).map(
    ({ name, fallback, meaning }) =>
      `  ${name}\n${INDENT}${wrapped(`${meaning}; ${fallback} if not set`, WIDTH, INDENT)}`,
  )
  return [
    '',
    '"stowage serve" runs the daemon until SIGTERM.',
    '"stowage VERB --help" has examples of a verb.',
    '',
    'Settings, from the environment:',
    ...settings,
  ].join('\n')
}
