import type { HealthCheck } from './admin/daemon-handlers.ts'
import { SETTINGS } from './config.ts'
import type { GraphHost } from './graph/host.ts'
import type { TrashKeeper } from './operations/trash-keeper.ts'
import type { VolumeLookupCache } from './volume/volume-lookup-cache.ts'

/** The halves of the plugin that are served, on their way to being open. */
export interface Halves {
  readonly volumes?: Promise<VolumeLookupCache> | undefined
  readonly trash?: Promise<TrashKeeper> | undefined
  readonly graph?: Promise<GraphHost> | undefined
}

/** How the daemon is, as far as can be told without waiting for anything. */
export interface DaemonState {
  readonly settings: Readonly<Record<string, string>>
  isOpen(): boolean
  health(): readonly HealthCheck[]
  graph(): { readonly home: string; readonly driver: string } | undefined
}

export function daemonState({
  volumes,
  graph,
  env,
}: Halves & { readonly env: NodeJS.ProcessEnv }): DaemonState {
  const openVolumes = whenOpen(volumes)
  const openGraph = whenOpen(graph)
  return {
    settings: Object.fromEntries(
      Object.values(SETTINGS).map(({ name, fallback }) => [
        name,
        env[name] || fallback,
      ]),
    ),
    isOpen: () =>
      (volumes === undefined || isSettled(openVolumes())) &&
      (graph === undefined || openGraph() !== undefined),
    health: () => [
      ...storeChecks(openVolumes()),
      ...(graph === undefined ? [] : [layerCheck(openGraph())]),
    ],
    graph: () => {
      const host = openGraph()
      if (host?.home === undefined) return undefined
      return { home: host.home, driver: host.driver.name }
    },
  }
}

/** Answers what `promise` has brought, once it has. */
function whenOpen<T>(promise: Promise<T> | undefined): () => T | undefined {
  let value: T | undefined
  const wait = async (): Promise<void> => {
    try {
      value = await promise
    } catch {
      // The daemon ends because of it, and says why.
    }
  }
  void wait()
  return () => value
}

/** Whether each store was reached, or could not be. */
function isSettled(volumes: VolumeLookupCache | undefined): boolean {
  if (volumes === undefined) return false
  return volumes.stores().every(({ state }) => state !== 'opening')
}

function storeChecks(
  volumes: VolumeLookupCache | undefined,
): readonly HealthCheck[] {
  const stores = volumes?.stores() ?? []
  return stores.map(({ name, state, reason }) => ({
    name: `store ${name}`,
    isGood: state === 'online',
    ...(reason === undefined ? {} : { detail: reason }),
  }))
}

/** There being no layers yet is well: Docker may never ask for any. */
function layerCheck(host: GraphHost | undefined): HealthCheck {
  const name = 'layers'
  if (host === undefined) {
    return { name, isGood: false, detail: 'they are being opened' }
  }
  const { failure } = host
  if (failure === undefined) return { name, isGood: true }
  return { name, isGood: false, detail: failure }
}
