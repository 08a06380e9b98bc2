import { messageOf } from './base/errors.ts'
import { type Config, readConfig, strangers } from './config.ts'
import { startDaemon } from './daemon.ts'
import { Logger } from './logger.ts'

/** What wrong settings end with. */
const EXIT_USAGE = 2

/** Runs the daemon until a signal ends it, and answers what the process ends with. */
export async function runDaemon(version: string): Promise<number> {
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
    log.info('Serving', { version, ...config })
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
