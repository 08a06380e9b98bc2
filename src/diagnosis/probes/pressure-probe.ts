import * as fs from 'node:fs/promises'
import { isErrno } from '../../base/errors.ts'
import { type Finding, finding, type Probe } from '../finding.ts'

/** Shares of a filesystem that are used: from here on it is told. */
const FILLING = 0.9
const FULL = 0.99

/** How full the filesystems are that volumes live on. */
export const pressureProbe: Probe = {
  name: 'disk and inodes',
  async run({ settings, stores }) {
    const seen = new Set<number>()
    const findings: Finding[] = []
    const paths = [settings.dataRoot, ...stores.map((store) => store.directory)]
    for (const path of paths) {
      const device = await deviceOf(path)
      if (device === undefined || seen.has(device)) continue
      seen.add(device)
      findings.push(...(await pressureOn(path)))
    }
    return findings
  },
}

async function pressureOn(path: string): Promise<readonly Finding[]> {
  const { blocks, bavail, files, ffree } = await fs.statfs(path)
  return [
    ...space(path, used(blocks, bavail)),
    // Where inodes are made as needed, the kernel says that there are none.
    ...(files === 0 ? [] : inodes(path, used(files, ffree))),
  ]
}

function space(path: string, share: number): readonly Finding[] {
  if (share < FILLING) return []
  return [
    finding(share < FULL ? 'disk-filling' : 'disk-full', path, {
      explanation: `The filesystem of "${path}" is ${percent(share)} full. When it is full, containers get "No space left on device" and no volume can be made`,
      advice:
        'Remove volumes that nobody needs, empty the trash with "stowage trash empty", or make the filesystem larger',
    }),
  ]
}

function inodes(path: string, share: number): readonly Finding[] {
  if (share < FILLING) return []
  return [
    finding(share < FULL ? 'inodes-filling' : 'inodes-out', path, {
      explanation: `The filesystem of "${path}" has ${percent(share)} of its inodes in use. Without any left, no file can be made though there is room`,
      advice:
        'Remove volumes with many small files, or move to a filesystem with more inodes: xfs and btrfs make them as needed',
    }),
  ]
}

function used(total: number, free: number): number {
  return total === 0 ? 0 : 1 - free / total
}

function percent(share: number): string {
  return `${Math.floor(share * 100)} %`
}

async function deviceOf(path: string): Promise<number | undefined> {
  try {
    return (await fs.stat(path)).dev
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}
