import * as fs from 'node:fs/promises'

/** One line of /proc/self/mountinfo, see proc(5). */
export interface MountInfo {
  readonly id: number
  readonly parent: number
  /** `major:minor` of the mounted filesystem. */
  readonly device: string
  /** What of that filesystem appears here: `/`, or the source of a bind. */
  readonly root: string
  readonly mountpoint: string
  readonly options: readonly string[]
  readonly type: string
  readonly source: string
  readonly superOptions: readonly string[]
}

export const MOUNTINFO = '/proc/self/mountinfo'

/** Which field of a line, counted from 0, says where the mount is. */
const MOUNTPOINT = 4

/** What this process sees mounted, in the order the kernel lists it. */
export async function readMountInfo(): Promise<readonly MountInfo[]> {
  return parseMountInfo(await fs.readFile(MOUNTINFO, 'utf8'))
}

export function parseMountInfo(text: string): readonly MountInfo[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine)
}

/** The mountpoints at `directory` and beneath it, deepest first. */
export async function mountsBelow(
  directory: string,
): Promise<readonly string[]> {
  const text = await fs.readFile(MOUNTINFO, 'utf8')
  return mountpointsBelow(mountpointsIn(text), directory)
}

/** The mountpoints in the `text` of {@link MOUNTINFO}, in the order of its lines. */
export function mountpointsIn(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => unescape(line.split(' ', MOUNTPOINT + 1)[MOUNTPOINT] ?? ''))
}

/** Those of `mountpoints` at `directory` and beneath it, deepest first. */
export function mountpointsBelow(
  mountpoints: readonly string[],
  directory: string,
): readonly string[] {
  const below = `${directory}/`
  return mountpoints
    .filter((point) => point === directory || point.startsWith(below))
    .toReversed()
}

/** Whether something is mounted at exactly `path`, in this mount namespace. */
export async function isMountpoint(path: string): Promise<boolean> {
  return (await readMountInfo()).some(({ mountpoint }) => mountpoint === path)
}

function parseLine(line: string): MountInfo {
  const fields = line.split(' ')
  // Optional fields, of any number, end at a lone hyphen.
  const hyphen = fields.indexOf('-', 6)
  const field = (index: number): string => unescape(fields[index] ?? '')
  return {
    id: Number(fields[0]),
    parent: Number(fields[1]),
    device: field(2),
    root: field(3),
    mountpoint: field(MOUNTPOINT),
    options: field(5).split(','),
    type: field(hyphen + 1),
    source: field(hyphen + 2),
    superOptions: field(hyphen + 3).split(','),
  }
}

/** The kernel writes blank, tab, newline and backslash as `\040` and so on. */
function unescape(field: string): string {
  if (!field.includes('\\')) return field
  return field.replaceAll(/\\([0-7]{3})/g, (_match, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  )
}
