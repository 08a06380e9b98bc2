import { basename, join } from 'node:path'
import { isErrno, UnavailableError } from '../base/errors.ts'
import type { ManagedPlugin } from '../docker/docker-answers.ts'
import type { DockerClient } from '../docker/docker-client.ts'
import { exists } from '../state/listing.ts'

/** Where the daemon of a host answers administrators, unless it is set otherwise. */
export const ADMIN_SOCKET = '/run/stowage/admin.sock'

/** Where dockerd shows the sockets of the plugins that it manages, by their ids. */
const PLUGINS = '/run/docker/plugins'

/** What the manifest of the plugin calls its own socket. */
const PLUGIN_SOCKET = 'stowage.sock'

export interface SocketHints {
  /** What was typed. It is taken as it is. */
  readonly typed: string | undefined
  /** What the settings say, which a service on this host has too. */
  readonly set: string
  readonly docker: DockerClient
}

/** Where the daemon answers administrators: on this host, or in Docker's plugin. */
export async function findAdminSocket({
  typed,
  set,
  docker,
}: SocketHints): Promise<string> {
  if (typed !== undefined) return typed
  if (await isThere(set)) return set
  for (const plugin of await pluginsOf(docker)) {
    const path = socketOf(plugin)
    if (plugin.isEnabled && (await isThere(path))) return path
  }
  return set
}

/** Who may not look is told so by the socket, once something is asked of it. */
async function isThere(path: string): Promise<boolean> {
  try {
    return await exists(path)
  } catch (error) {
    if (isErrno(error, 'EACCES')) return true
    throw error
  }
}

function socketOf({ id, settings }: ManagedPlugin): string {
  const inside = settings.get('STOWAGE_ADMIN_SOCKET') ?? 'admin.sock'
  return join(PLUGINS, id, basename(inside))
}

/** Without a Docker there is no plugin in it. */
async function pluginsOf(
  docker: DockerClient,
): Promise<readonly ManagedPlugin[]> {
  try {
    const plugins = await docker.plugins()
    return plugins.filter(({ socket }) => socket === PLUGIN_SOCKET)
  } catch (error) {
    if (error instanceof UnavailableError) return []
    throw error
  }
}
