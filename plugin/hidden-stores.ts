import { refuseHiddenStore } from '../src/operations/hidden-store.ts'
import { parseStoreSpecs } from '../src/volume/volume-stores.ts'

/**
 * Refuses settings that name a store where Docker does not see it.
 *
 * @param text What STOWAGE_STORES says.
 */
export function refuseHiddenStores(
  text: string | undefined,
  dataRoot: string,
): void {
  if (text === undefined || text === '') return
  for (const spec of parseStoreSpecs(text)) refuseHiddenStore(spec, dataRoot)
}
