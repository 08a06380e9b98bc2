import { SILENT } from '../../src/base/log.ts'
import { FolderStore } from '../../src/volume/folder-store.ts'
import type { OpenKeeping } from '../../src/volume/volume-keeping.ts'

/** Opens the store of a directory, as the settings would name it. */
export type OpenStore = (
  directory: string,
  isKnown?: boolean,
) => Promise<FolderStore>

export function storeKeptBy(keep: OpenKeeping): OpenStore {
  return (directory, isKnown = false) =>
    FolderStore.open({ name: 'default', directory, isKnown, keep, log: SILENT })
}
