import type { AdminClient } from './admin-client.ts'
import type { Completion } from './verb.ts'
import type { Session } from './session.ts'

/**
 * The names that there are of something, for a shell that offers them.
 *
 * @param typed All words so far: the snapshots offered are those of a volume.
 */
export async function knownNames(
  of: Completion | undefined,
  typed: readonly string[],
  session: Session,
): Promise<readonly string[]> {
  if (of === undefined || of === 'file') return []
  if (typeof of !== 'string') return of
  return SOURCES[of](await session.daemon(), typed)
}

type Source = (
  daemon: AdminClient,
  typed: readonly string[],
) => Promise<readonly string[]>

const SOURCES = {
  volume: async (daemon) =>
    names(await daemon.ask('listVolumes', { query: {} })),
  store: async (daemon) => names(await daemon.ask('listStores', {})),
  schedule: async (daemon) => names(await daemon.ask('listSchedules', {})),
  trash: async (daemon) => {
    const entries = await daemon.ask('listTrash', { query: {} })
    return entries.map(({ id }) => id)
  },
  snapshot: async (daemon, typed) => {
    const params = { name: typed.at(-2) ?? '' }
    return names(await daemon.ask('listSnapshots', { params }))
  },
} satisfies Record<string, Source>

function names(of: readonly { readonly name: string }[]): readonly string[] {
  return of.map(({ name }) => name)
}
