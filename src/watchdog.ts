import type { Log } from './base/log.ts'
import { notify } from './linux/notify.ts'

/**
 * Tells systemd that the event loop turns, twice in each span that the unit's
 * `WatchdogSec=` allows, until this process ends. systemd kills and restarts a
 * daemon that it has not heard of for longer.
 */
export function feedWatchdog(env: NodeJS.ProcessEnv, log: Log): void {
  const microseconds = Number(env.WATCHDOG_USEC)
  // Meant for somebody else, such as the shell that started us.
  const isOurs = [undefined, '', String(process.pid)].includes(env.WATCHDOG_PID)
  if (!(microseconds > 0) || !isOurs) return
  const feed = (): void => {
    try {
      notify('WATCHDOG=1', env)
    } catch (error) {
      log.warn('Cannot feed the watchdog', { error })
    }
  }
  setInterval(feed, microseconds / 2000).unref()
}
