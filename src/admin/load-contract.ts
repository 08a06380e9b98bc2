/**
 * Loads what describes the API, part by part. All modules that one import brings run
 * in one turn, and these, with the schemas that they make, take some 20 ms.
 */
export async function loadContract(): Promise<void> {
  await import('zod/v4/locales')
  await import('zod/v4/core')
  await import('zod')
  await import('./contract/values.ts')
  await import('./contract/volume-endpoints.ts')
  await import('./contract/endpoints.ts')
}
