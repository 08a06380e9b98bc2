import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Kept between runs: making it takes a minute. */
const CACHE = '/var/tmp/stowage-test'

/**
 * A tar of a minimal Debian with `ping`: setuid files, hard links, a file with a
 * capability, thousands of small files. Made once for all tests.
 */
export async function debianRoot(): Promise<string> {
  const tar = join(CACHE, 'debian-bookworm.tar')
  if (await exists(tar)) return tar
  await fs.mkdir(CACHE, { recursive: true, mode: 0o755 })
  const root = await fs.mkdtemp(join(tmpdir(), 'stowage-debian-'))
  const draft = `${tar}.${process.pid}`
  try {
    await run(
      'debootstrap',
      ['--variant=minbase', '--include=iputils-ping', 'bookworm', root],
      { maxBuffer: 1 << 26 },
    )
    const attributes = ['--numeric-owner', '--xattrs', '--xattrs-include=*']
    await run('tar', ['-C', root, ...attributes, '-cf', draft, '.'])
    await fs.rename(draft, tar)
  } finally {
    await fs.rm(draft, { force: true })
    await fs.rm(root, { recursive: true, force: true })
  }
  return tar
}

async function exists(path: string): Promise<boolean> {
  try {
    await fs.access(path)
    return true
  } catch {
    return false
  }
}
