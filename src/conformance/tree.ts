import { createHash } from 'node:crypto'
import { type BigIntStats, constants } from 'node:fs'
import * as fs from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { setTimes } from '../linux/file-times.ts'
import {
  type DeviceNumber,
  deviceNumber,
  mknod,
  type SpecialType,
} from '../linux/mknod.ts'
import { getXattr, listXattrs, setXattr } from '../linux/xattr.ts'

type Bytes = string | Buffer

/** What a step may say about the thing it makes; what it leaves out is usual. */
export interface Attributes {
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  /** Seconds, or nanoseconds as a bigint. */
  readonly mtime?: number | bigint
  readonly xattrs?: Readonly<Record<string, Bytes>>
}

/** One step of making a tree: does its work beneath `root`. */
export type Step = (root: Bytes) => Promise<void>

/** Does the steps in order beneath `root`, which exists. */
export async function build(root: Bytes, ...steps: Step[]): Promise<void> {
  for (const step of steps) await step(root)
}

/** A directory, made or there already; `.` is the root. */
export function directory(path: Bytes, attributes: Attributes = {}): Step {
  return async (root) => {
    const target = below(root, path)
    await fs.mkdir(target, { recursive: true, mode: 0o755 })
    await decorate(target, { mode: 0o755, ...attributes })
  }
}

/**
 * A file, made, or written anew in place. What is there and no file is left alone:
 * writing to a FIFO would wait forever, and to a device would do more than that.
 */
export function file(
  path: Bytes,
  content: string | Uint8Array = '',
  attributes: Attributes = {},
): Step {
  return async (root) => {
    const target = below(root, path)
    await fs.writeFile(target, content, { flag: await writeFlag(target) })
    await decorate(target, { mode: 0o644, ...attributes })
  }
}

/** A file of `size` bytes that holds `pieces` at their offsets, else nothing. */
export function sparseFile(
  path: Bytes,
  size: number,
  pieces: Readonly<Record<number, string>> = {},
): Step {
  return async (root) => {
    const handle = await fs.open(below(root, path), 'w', 0o644)
    await handle.truncate(size)
    for (const [offset, piece] of Object.entries(pieces)) {
      await handle.write(piece, Number(offset))
    }
    await handle.close()
  }
}

export function symlink(
  path: Bytes,
  target: Bytes,
  { mode: _always0777, ...attributes }: Attributes = {},
): Step {
  return async (root) => {
    await fs.symlink(target, below(root, path))
    await decorate(below(root, path), attributes)
  }
}

export function hardLink(path: Bytes, existing: Bytes): Step {
  return (root) => fs.link(below(root, existing), below(root, path))
}

export function device(
  path: Bytes,
  type: 'character' | 'block',
  number: DeviceNumber,
  attributes: Attributes = {},
): Step {
  return special(path, type, number, attributes)
}

export function fifo(path: Bytes, attributes: Attributes = {}): Step {
  return special(path, 'fifo', undefined, attributes)
}

export function socket(path: Bytes, attributes: Attributes = {}): Step {
  return special(path, 'socket', undefined, attributes)
}

/** What overlayfs marks a deletion with. */
export function whiteoutDevice(path: Bytes): Step {
  return special(path, 'character', { major: 0, minor: 0 }, { mode: 0 })
}

export function remove(path: Bytes): Step {
  return (root) => fs.rm(below(root, path), { recursive: true })
}

/** Gives what is there already other attributes. */
export function change(path: Bytes, changed: Attributes): Step {
  return (root) => decorate(below(root, path), changed)
}

/** All that a tree says about one of its things. */
export interface Portrait {
  readonly type: string
  /** Permission, setuid, setgid and sticky bits. */
  readonly mode: string
  readonly owner: string
  readonly mtime: bigint
  readonly size?: bigint
  readonly content?: string
  readonly target?: string
  readonly device?: string
  /** The first name, in byte order, of the file that has several in this tree. */
  readonly linkedTo?: string
  readonly xattrs?: Readonly<Record<string, string>>
}

export interface PortraitOptions {
  /** Leaves out what a comparison cannot expect to be equal. */
  readonly without?: readonly (keyof Portrait)[]
  /** Layers keep whole seconds. */
  readonly wholeSeconds?: boolean
}

/**
 * Everything in the tree at `root`, by its name as Latin-1, the root as `.`, so
 * that two trees are the same if chai's deep equality finds these so.
 */
export async function portray(
  root: Bytes,
  options: PortraitOptions = {},
): Promise<Record<string, Portrait>> {
  const names = await namesBelow(root)
  const firstNames = new Map<string, string>()
  const found: Record<string, Portrait> = {}
  for (const name of names.toSorted((a, b) => a.compare(b))) {
    const key = name.toString('latin1')
    const path = below(root, name)
    const stat = await fs.lstat(path, { bigint: true })
    const inode = `${stat.dev}:${stat.ino}`
    const linkedTo = stat.isDirectory() ? undefined : firstNames.get(inode)
    if (linkedTo === undefined) firstNames.set(inode, key)
    found[key] = without(options.without ?? [], {
      ...(await sketch(path, stat)),
      ...(linkedTo === undefined ? {} : { linkedTo }),
      mtime: options.wholeSeconds === true ? seconds(stat) : stat.mtimeNs,
    })
  }
  return found
}

function without(fields: readonly string[], portrait: Portrait): Portrait {
  const kept = { ...portrait }
  for (const field of fields) Reflect.deleteProperty(kept, field)
  return kept
}

async function sketch(
  path: Buffer,
  stat: BigIntStats,
): Promise<Omit<Portrait, 'mtime'>> {
  const xattrs = Object.fromEntries(
    listXattrs(path).map((name) => [
      name.toString('latin1'),
      getXattr(path, name)?.toString('latin1') ?? '',
    ]),
  )
  return {
    type: typeOf(stat),
    mode: (stat.mode & 0o7777n).toString(8),
    owner: `${stat.uid}:${stat.gid}`,
    ...(Object.keys(xattrs).length === 0 ? {} : { xattrs }),
    ...(await substance(path, stat)),
  }
}

async function substance(
  path: Buffer,
  stat: BigIntStats,
): Promise<Partial<Portrait>> {
  if (stat.isFile()) return { size: stat.size, content: await digest(path) }
  if (stat.isSymbolicLink()) {
    const target = await fs.readlink(path, { encoding: 'buffer' })
    return { target: target.toString('latin1') }
  }
  if (stat.isBlockDevice() || stat.isCharacterDevice()) {
    const { major, minor } = deviceNumber(Number(stat.rdev))
    return { device: `${major}:${minor}` }
  }
  return {}
}

function typeOf(stat: BigIntStats): string {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  if (stat.isSymbolicLink()) return 'symlink'
  if (stat.isBlockDevice()) return 'block'
  if (stat.isCharacterDevice()) return 'character'
  return stat.isFIFO() ? 'fifo' : 'socket'
}

/** Refuses at opening what is no file. */
async function writeFlag(path: Buffer): Promise<number> {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_TRUNC, O_WRONLY } = constants
  const isFile = await fs.lstat(path).then(
    (stat) => stat.isFile(),
    () => false,
  )
  return O_WRONLY | O_CREAT | O_NOFOLLOW | (isFile ? O_TRUNC : O_EXCL)
}

async function digest(path: Buffer): Promise<string> {
  const handle = await fs.open(
    path,
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NOATIME,
  )
  const hash = createHash('sha256')
  await pipeline(handle.createReadStream(), hash)
  return hash.digest('hex')
}

/** Rounded down, as tars round: also before 1970. */
function seconds({ mtimeNs }: BigIntStats): bigint {
  return (mtimeNs - (((mtimeNs % SECOND) + SECOND) % SECOND)) / SECOND
}

const SECOND = 1_000_000_000n

async function namesBelow(root: Bytes): Promise<Buffer[]> {
  const found: Buffer[] = [Buffer.from('.')]
  for (const name of found) {
    const path = below(root, name)
    if (!(await fs.lstat(path)).isDirectory()) continue
    const isRoot = name === found[0]
    for (const child of await fs.readdir(path, { encoding: 'buffer' })) {
      found.push(isRoot ? child : below(name, child))
    }
  }
  return found
}

function special(
  path: Bytes,
  type: SpecialType,
  number: DeviceNumber | undefined,
  attributes: Attributes,
): Step {
  return async (root) => {
    mknod(below(root, path), type, 0o644, number)
    await decorate(below(root, path), { mode: 0o644, ...attributes })
  }
}

/** In this order: chown(2) clears setuid bits, and all of them touch ctime only. */
async function decorate(
  path: Buffer,
  { mode, uid, gid, mtime, xattrs = {} }: Attributes,
): Promise<void> {
  if (uid !== undefined || gid !== undefined) {
    const stat = await fs.lstat(path)
    await fs.lchown(path, uid ?? stat.uid, gid ?? stat.gid)
  }
  if (mode !== undefined) await fs.chmod(path, mode)
  for (const [name, value] of Object.entries(xattrs)) {
    setXattr(path, name, Buffer.from(value))
  }
  if (mtime === undefined) return
  const time = typeof mtime === 'bigint' ? mtime : BigInt(mtime) * SECOND
  setTimes(path, time, time)
}

function below(root: Bytes, path: Bytes): Buffer {
  return Buffer.concat([Buffer.from(root), Buffer.from('/'), Buffer.from(path)])
}
