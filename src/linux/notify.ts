import { sendDatagram } from './unix-socket.ts'

/**
 * Tells whoever started this process how far it is, as sd_notify(3) would:
 * `READY=1`, `STOPPING=1`. Nobody is told where nobody asked.
 */
export function notify(state: string, env: NodeJS.ProcessEnv): void {
  const path = env.NOTIFY_SOCKET
  if (path !== undefined && path !== '') sendDatagram(path, state)
}
