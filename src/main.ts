#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { messageOf } from './base/errors.ts'
import { type Config, readConfig, SETTINGS, strangers } from './config.ts'
import { startDaemon } from './daemon.ts'
import { Logger } from './logger.ts'

/** What a wrong command line or a wrong setting ends with. */
const EXIT_USAGE = 2

// Modes are stated where files are made, and mean what they say.
process.umask(0)
process.exit(await run(process.argv.slice(2)))

async function run(words: readonly string[]): Promise<number> {
  switch (words.join(' ')) {
    case 'serve':
      return serve()
    case '--help':
      process.stdout.write(usage())
      return 0
    case '--version':
      process.stdout.write(`${version()}\n`)
      return 0
    case '':
      process.stderr.write(usage())
      return EXIT_USAGE
    default:
      complain(`"${words.join(' ')}" is not a command: see "stowage --help"`)
      return EXIT_USAGE
  }
}

/** Runs the daemon until a signal ends it. */
async function serve(): Promise<number> {
  let config: Config
  try {
    config = readConfig(process.env)
  } catch (error) {
    complain(messageOf(error))
    return EXIT_USAGE
  }
  const log = openLog(config)
  const signal = stopSignal()
  try {
    const daemon = await startDaemon(config, log, process.env)
    log.info('Serving', { version: version(), ...config })
    await Promise.race([signal, daemon.opened])
    log.info('Stopping', { signal: await signal })
    await daemon.stop()
    log.info('Stopped')
    return 0
  } catch (error) {
    log.error('Cannot go on', { error })
    complain(messageOf(error))
    return 1
  }
}

function openLog(config: Config): Logger {
  const log = Logger.open({
    level: config.logLevel,
    format: config.logFormat,
    stream: process.stdout,
  })
  // Whoever read the log may go. Docker's volumes stay.
  process.stdout.on('error', () => undefined)
  process.on('uncaughtException', (error) => {
    log.error('Uncaught exception', { error })
    process.exit(1)
  })
  const usual = config.logLevel === 'debug' ? 'info' : config.logLevel
  process.on('SIGUSR2', () => {
    log.level = log.level === 'debug' ? usual : 'debug'
    log.info('Log level changed', { now: log.level })
  })
  for (const name of strangers(process.env)) {
    log.warn('No such setting', { name })
  }
  return log
}

/**
 * The first signal to stop. The listeners stay: without any, the keeper of the
 * lease would take a signal for the end and kill the process.
 */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.on('SIGTERM', resolve)
    process.on('SIGINT', resolve)
  })
}

function complain(message: string): void {
  process.stderr.write(`stowage: ${message}\n`)
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  const { version: number } = JSON.parse(readFileSync(file, 'utf8'))
  return String(number)
}

function usage(): string {
  const settings = Object.values(SETTINGS).map(
    ({ name, fallback, meaning }) =>
      `  ${name}\n      ${meaning}; ${fallback} if not set`,
  )
  return [
    'Usage: stowage serve      run the plugin until SIGTERM',
    '       stowage --help',
    '       stowage --version',
    '',
    'Settings, from the environment:',
    ...settings,
    '',
  ].join('\n')
}
