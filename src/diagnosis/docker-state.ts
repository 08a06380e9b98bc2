import { basename } from 'node:path'
import type {
  Container,
  DockerInfo,
  DockerVersion,
  ManagedPlugin,
} from '../docker/docker-answers.ts'
import type { DockerClient } from '../docker/docker-client.ts'
import { type MountId, mountIds } from '../docker/container-mounts.ts'

/** What Docker thinks, as far as it concerns us. */
export interface DockerState {
  readonly version: DockerVersion
  readonly info: DockerInfo
  readonly containers: readonly Container[]
  /** The plugin, where Docker manages it. */
  readonly plugins: readonly ManagedPlugin[]
  readonly mountIds: readonly MountId[]
  /** The names that Docker knows us by, as a driver of volumes. */
  readonly driverNames: ReadonlySet<string>
}

export async function readDockerState(
  docker: DockerClient,
  socket: string,
): Promise<DockerState> {
  const [version, info, containers, allPlugins] = await Promise.all([
    docker.version(),
    docker.info(),
    docker.containers(),
    docker.plugins(),
  ])
  const plugins = allPlugins.filter((plugin) => plugin.socket === SOCKET)
  const names = plugins.map(({ name }) => name)
  return {
    version,
    info,
    containers,
    plugins,
    mountIds: await mountIds(info.rootDirectory),
    driverNames: new Set([basename(socket, '.sock'), ...names]),
  }
}

/** What the socket is called in the manifest of the managed plugin. */
const SOCKET = 'stowage.sock'
