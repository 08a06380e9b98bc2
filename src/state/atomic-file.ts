import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** What names of files in the making begin with; `open` of their owner sweeps them. */
export const DRAFT_PREFIX = 'new-'

export interface WriteOptions {
  /** Permission bits of the new file. */
  readonly mode?: number
  /**
   * Whether the file must outlive a power cut. Without it a crash of the process
   * is survived, and a power cut may bring the former content back.
   */
  readonly durable?: boolean
  /** Where the draft is made, on the same filesystem; else beside the file. */
  readonly drafts?: string
}

/**
 * Replaces the file at `path` by one with `data`. Whoever reads sees the whole
 * old content or the whole new one, at any time and after any crash.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  { mode = 0o600, durable = true, drafts = dirname(path) }: WriteOptions = {},
): Promise<void> {
  const draft = join(drafts, draftName(path))
  try {
    const file = await fs.open(draft, 'wx', mode)
    try {
      await file.writeFile(data)
      if (durable) await file.sync()
    } finally {
      await file.close()
    }
    await fs.rename(draft, path)
  } catch (error) {
    await fs.rm(draft, { force: true })
    throw error
  }
  if (durable) await syncDirectory(dirname(path))
}

/** Makes the names in `directory` outlive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await fs.open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The same in one go, for a thread. */
export function syncDirectoryNow(directory: string): void {
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Deletes the drafts that a crash has left in `directory`, where nobody writes yet. */
export async function sweepDrafts(directory: string): Promise<void> {
  for (const entry of await fs.readdir(directory, { withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.startsWith(DRAFT_PREFIX)) continue
    await fs.rm(join(directory, entry.name))
  }
}

/** A free name for building the successor of the file at `path`. */
function draftName(path: string): string {
  const unique = randomBytes(6).toString('hex')
  return `${DRAFT_PREFIX}${unique}-${basename(path)}`
}
