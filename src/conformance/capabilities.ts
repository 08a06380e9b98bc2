import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf } from '../base/errors.ts'
import { mount, unmount } from '../linux/mount.ts'

const run = promisify(execFile)

/** What a test may need of the machine. */
export type Capability =
  | 'root'
  | 'overlay'
  | 'loop'
  | 'btrfs'
  | 'xfs'
  | 'ext4'
  | 'docker'
  | 'busybox'
  | 'debootstrap'
  | 'gnu tar'
  | 'bsdtar'
  | 'sqlite3'
  | 'bindfs'
  | 'rclone'
  | 'zstd'
  | 'groff'
  | 'zsh'
  | 'fish'
  | 'script'
  | 'strace'
  | 'systemd-analyze'
  | 'systemd-socket-activate'

/**
 * Each capability with a probe that throws where it is missing. A probe tries the thing itself: a version says little.
 */
const PROBES: Readonly<Record<Capability, () => Promise<void>>> = {
  root: async () => {
    if (process.getuid?.() !== 0) throw new Error('not run as root')
  },
  overlay: () =>
    inTempDir(async (directory) => {
      const options: string[] = []
      for (const name of ['lower', 'upper', 'work']) {
        await fs.mkdir(join(directory, name))
        options.push(`${name}dir=${join(directory, name)}`)
      }
      const merged = join(directory, 'merged')
      await fs.mkdir(merged)
      mount({ type: 'overlay', source: 'overlay', options }, merged)
      await unmount(merged)
    }),
  loop: async () => {
    await run('losetup', ['--find'])
  },
  btrfs: () => command('mkfs.btrfs', '--version'),
  xfs: () => command('mkfs.xfs', '-V'),
  ext4: () => command('mkfs.ext4', '-V'),
  docker: () => command('/usr/sbin/dockerd', '--version'),
  busybox: () => command('/bin/busybox', 'true'),
  debootstrap: () => command('debootstrap', '--version'),
  'gnu tar': () => command('tar', '--version'),
  bsdtar: () => command('bsdtar', '--version'),
  sqlite3: () => command('sqlite3', '--version'),
  bindfs: () => command('bindfs', '--version'),
  rclone: async () => {
    await command('rclone', 'version')
    await command('fusermount3', '-V')
  },
  zstd: () => command('zstd', '--version'),
  groff: () => command('groff', '--version'),
  script: () => command('script', '--version'),
  zsh: () => command('zsh', '--version'),
  fish: () => command('fish', '--version'),
  strace: () => command('strace', '-V'),
  'systemd-analyze': () => command('systemd-analyze', '--version'),
  'systemd-socket-activate': () =>
    command('systemd-socket-activate', '--version'),
}

const found = new Map<Capability, Promise<string | undefined>>()
const skipped = new Map<Capability, string>()

/**
 * Skips the enclosing suite where the machine lacks one of `capabilities`.
 * `STOWAGE_REQUIRE` names those whose lack is a failure, or is `all`.
 */
export function needs(...capabilities: readonly Capability[]): void {
  before(async function () {
    this.timeout(60_000)
    for (const capability of capabilities) {
      const reason = await lack(capability)
      if (reason === undefined) continue
      if (isRequired(capability)) {
        throw new Error(`This machine lacks ${capability}: ${reason}`)
      }
      skipped.set(capability, reason)
      this.skip()
    }
  })
}

/** What suites were skipped for, and why it was missing. */
export function missing(): ReadonlyMap<Capability, string> {
  return skipped
}

function lack(capability: Capability): Promise<string | undefined> {
  const known = found.get(capability) ?? probe(capability)
  found.set(capability, known)
  return known
}

async function probe(capability: Capability): Promise<string | undefined> {
  try {
    await PROBES[capability]()
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

function isRequired(capability: Capability): boolean {
  const required = (process.env.STOWAGE_REQUIRE ?? '').split(',')
  return required.includes('all') || required.includes(capability)
}

async function command(name: string, ...args: string[]): Promise<void> {
  await run(name, args)
}

async function inTempDir(
  task: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await fs.mkdtemp(join(tmpdir(), 'stowage-probe-'))
  try {
    await task(directory)
  } finally {
    await fs.rm(directory, { recursive: true, force: true })
  }
}
