import { readdir } from 'node:fs/promises'

/**
 * Loads what describes the API, part by part. All modules that one import brings run
 * in one turn: zod's alone, sixty languages among them, take some 20 ms.
 */
export async function loadContract(): Promise<void> {
  await importEach('zod/v4/locales')
  await importEach('zod/v4/core')
  await import('zod')
  await import('./contract/values.ts')
  await import('./contract/volume-endpoints.ts')
  await import('./contract/endpoints.ts')
}

/** Loads the modules beside the one that `specifier` leads to, each by itself. */
async function importEach(specifier: string): Promise<void> {
  const directory = new URL('.', import.meta.resolve(specifier))
  for (const name of await readdir(directory)) {
    if (name.endsWith('.js')) await import(new URL(name, directory).href)
  }
}
