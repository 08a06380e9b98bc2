import * as fs from 'node:fs/promises'
import { join } from 'node:path'

/** Where things that take long to make are kept from one run to the next. */
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? '/var/tmp', 'stowage-bench')

/** The path of `name` in the cache, made by `make` if it is not there yet. */
export async function cached(
  name: string,
  make: (path: string) => Promise<void>,
): Promise<string> {
  const path = join(CACHE, name)
  try {
    await fs.access(path)
  } catch {
    await fs.mkdir(CACHE, { recursive: true, mode: 0o755 })
    const draft = await fs.mkdtemp(join(CACHE, 'new-'))
    try {
      await make(join(draft, name))
      await fs.rename(join(draft, name), path)
    } finally {
      await fs.rm(draft, { recursive: true, force: true })
    }
  }
  return path
}
