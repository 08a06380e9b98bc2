import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import type { IdMaps } from '../archive/id-map.ts'
import { NO_PARENT, type ProtoDriver } from '../graph/driver.ts'
import { needs } from './capabilities.ts'
import type { Opened, Opener } from './open-graph.ts'
import { honour, type SuiteOptions } from './suite-options.ts'
import { useTempDir } from './temp-dir.ts'
import { build, directory, file, hardLink, type Step, symlink } from './tree.ts'

/** The driver of the test that runs now, and what tests do with one. */
export interface DriverSuite<D extends ProtoDriver = ProtoDriver> {
  readonly driver: D
  /** A directory of the test, which Home is in. */
  readonly directory: string
  readonly home: string

  /** Ends the driver and opens it again, as a restart of its process does. */
  reopen(): Promise<void>

  /** Opens the driver on another home instead. */
  openOn(home: string, idMaps: IdMaps): Promise<void>

  /** Runs `task` on the layer's mountpoint while the layer is held. */
  readonly within: <T>(
    id: string,
    task: (mountpoint: string) => Promise<T>,
  ) => Promise<T>

  readonly read: (id: string, path: string) => Promise<string>

  /** A layer in which the steps are done. */
  readonly layer: (
    id: string,
    parent: string,
    ...steps: Step[]
  ) => Promise<void>

  /** A layer without a parent that has something of everything. */
  readonly base: (id: string) => Promise<void>
}

/** Opens the driver anew on an empty directory for each test of the suite. */
export function useDriver<D extends ProtoDriver>(
  open: Opener<D>,
  { on = [], except = {}, under }: SuiteOptions,
): DriverSuite<D> {
  needs('root', ...on)
  honour(except)
  const temp = useTempDir(under)
  let opened: Opened<D>
  let home: string
  let idMaps: IdMaps | undefined

  beforeEach(async () => {
    home = join(temp.path, 'home')
    idMaps = undefined
    opened = await open(home)
  })
  afterEach(async () => {
    await opened.driver.cleanup()
    await opened.close()
  })

  return {
    get driver() {
      return opened.driver
    },
    get directory() {
      return temp.path
    },
    get home() {
      return home
    },
    async reopen() {
      await opened.close()
      opened = await open(home, idMaps)
    },
    async openOn(other, maps) {
      home = other
      idMaps = maps
      await this.reopen()
    },
    within: (id, task) => within(opened.driver, id, task),
    read: (id, path) =>
      within(opened.driver, id, (mountpoint) =>
        fs.readFile(join(mountpoint, path), 'utf8'),
      ),
    layer: (id, parent, ...steps) => layer(opened.driver, id, parent, steps),
    base: (id) => layer(opened.driver, id, NO_PARENT, BASE),
  }
}

async function within<T>(
  driver: ProtoDriver,
  id: string,
  task: (mountpoint: string) => Promise<T>,
): Promise<T> {
  const mountpoint = await driver.get(id)
  try {
    return await task(mountpoint)
  } finally {
    await driver.put(id)
  }
}

async function layer(
  driver: ProtoDriver,
  id: string,
  parent: string,
  steps: readonly Step[],
): Promise<void> {
  await driver.create(id, parent)
  await within(driver, id, (mountpoint) => build(mountpoint, ...steps))
}

const BASE: readonly Step[] = [
  directory('a subdir', { mode: 0o1705, uid: 1, gid: 2 }),
  file('a file', 'some', { mode: 0o4222 }),
  symlink('a link', '/a file'),
  hardLink('a name more', 'a file'),
  file('a subdir/deep', 'deeper', {
    xattrs: { 'user.colour': 'green' },
    mtime: 1_234_567_890_123_456_789n,
  }),
]

/** Everything a driver keeps, by name: what is left behind shows up here. */
export async function namesBelow(home: string): Promise<string[]> {
  return (await fs.readdir(home, { recursive: true })).toSorted()
}
