import * as fs from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { isErrno } from '../../base/errors.ts'
import { filesystemOf } from '../../linux/fs-magic.ts'
import { exists } from '../../state/listing.ts'
import { type Finding, finding, type Probe } from '../finding.ts'
import type { ExaminedStore, Place } from '../place.ts'

const LOOP_CONTROL = '/dev/loop-control'

/** What loop stores run to make and grow filesystems, and Debian's packages of it. */
const LOOP_PROGRAMS = {
  ext4: { 'mkfs.ext4': 'e2fsprogs', resize2fs: 'e2fsprogs' },
  xfs: { 'mkfs.xfs': 'xfsprogs', xfs_growfs: 'xfsprogs' },
} as const

/** What the kernel and the machine must have for what is configured. */
export const kernelProbe: Probe = {
  name: 'kernel and filesystems',
  async run(place) {
    const findings: Finding[] = [...(await overlayFindings(place))]
    const loops = place.stores.filter(({ kind }) => kind === 'loop')
    if (loops.length > 0) findings.push(...(await loopFindings()))
    for (const store of loops) findings.push(...(await programs(store)))
    for (const store of place.stores) {
      if (store.kind === 'btrfs') findings.push(...(await notBtrfs(store)))
    }
    return findings
  },
}

async function overlayFindings({
  settings,
}: Place): Promise<readonly Finding[]> {
  if (!settings.implements.includes('graph')) return []
  if (/\toverlay$/m.test(await fs.readFile('/proc/filesystems', 'utf8'))) {
    return []
  }
  return [
    finding('no-overlay', '/proc/filesystems', {
      explanation:
        'The kernel has no overlay filesystem loaded. Layers on ext4 and xfs would be kept as whole copies',
      advice: 'Run "modprobe overlay", and have it loaded at boot',
    }),
  ]
}

async function loopFindings(): Promise<readonly Finding[]> {
  if (await isCharacterDevice(LOOP_CONTROL)) return []
  return [
    finding('no-loop-devices', LOOP_CONTROL, {
      explanation: `"${LOOP_CONTROL}" is not the device that loop devices are asked of, so no volume of a loop store can be mounted`,
      advice:
        'Run "modprobe loop"; in a container, pass the device in or allow all devices',
    }),
  ]
}

/** mknod(2) 10:237 is what the kernel's list of devices says. */
async function isCharacterDevice(path: string): Promise<boolean> {
  try {
    const status = await fs.stat(path)
    return status.isCharacterDevice() && status.rdev === LOOP_CONTROL_NUMBER
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
}

/** Major 10, minor 237, as stat(2) packs them. */
const LOOP_CONTROL_NUMBER = (10 << 8) | 237

async function programs({
  name,
  parameters,
}: ExaminedStore): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const needed = LOOP_PROGRAMS[parameters.filesystem ?? 'ext4']
  for (const [program, debianPackage] of Object.entries(needed)) {
    if (await isInPath(program)) continue
    findings.push(
      finding('missing-program', program, {
        explanation: `Store "${name}" needs the program ${program}, and it is not in PATH`,
        advice: `Install it: on Debian, "apt-get install ${debianPackage}"`,
      }),
    )
  }
  return findings
}

async function isInPath(program: string): Promise<boolean> {
  const directories = (process.env.PATH ?? '').split(delimiter)
  for (const directory of directories) {
    if (directory !== '' && (await exists(join(directory, program))))
      return true
  }
  return false
}

async function notBtrfs({
  name,
  directory,
}: ExaminedStore): Promise<readonly Finding[]> {
  const filesystem = await filesystemOf(await nearest(directory))
  if (filesystem === 'btrfs') return []
  return [
    finding('store-cannot', name, {
      explanation: `Store "${name}" keeps volumes as btrfs subvolumes, and "${directory}" is on ${filesystem}`,
      advice: 'Mount a btrfs there, or make it a store of kind local or loop',
    }),
  ]
}

/** `path`, or the nearest directory above it that exists. */
async function nearest(path: string): Promise<string> {
  return (await exists(path)) ? path : nearest(dirname(path))
}
