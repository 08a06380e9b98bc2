import { randomBytes } from 'node:crypto'
import type { Stats } from 'node:fs'
import { rmdirSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { isErrno } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { Thread } from '../base/thread.ts'
import { type IdMaps, NO_ID_MAPS, toHost } from '../archive/id-map.ts'
import { detach, type MountSpec } from '../linux/mount.ts'
import { mountsBelow } from '../linux/mountinfo.ts'
import { lockRoot, type RootLock } from '../state/root-lock.ts'
import { DetachedMounts } from './detached-mounts.ts'
import type { HomeCalls } from './home-worker.ts'
import { type Blank, runStep, type Step } from './step.ts'

/** How a home is opened. */
export interface HomeOptions {
  readonly log: Log
  readonly idMaps?: IdMaps
}

/** Who owns what is made for the root of a user namespace. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/**
 * The directory that Docker names for a driver, with a thread that lives in it.
 *
 *     <home>/format          what keeps layers here, see format.ts
 *     <home>/lock            this process has the directory, see root-lock.ts
 *     <home>/new-<random>    something in the making
 *     <home>/blank-<random>  what the next of its kind will begin as, see step.ts
 *     <home>/rm-<random>     something on its way out
 *     <home>/mnt/<layer>     where a layer is mounted; there only while it is
 *     <home>/...             whatever the driver keeps
 *
 * Paths given here count from Home. The thread has Home as its working directory,
 * so that they reach the kernel as short as they are: 128 lowers fit into the one
 * page of options that mount(2) takes, and a colon in Home's own name, which would
 * separate lowers, is never among them.
 */
export class Home {
  readonly path: string
  readonly idMaps: IdMaps
  readonly log: Log
  /** The host's ids of the user namespace's root, or 0 and 0. */
  readonly root: Owner
  readonly #identity: { readonly dev: number; readonly ino: number }
  readonly #lock: RootLock
  readonly #thread: Thread<HomeCalls>
  /** Tells this process's drafts from those that a crash has left. */
  readonly #session = randomBytes(8).toString('hex')
  #drafts = 0
  readonly #detached = new DetachedMounts()

  private constructor(
    path: string,
    options: HomeOptions,
    { identity, lock }: { identity: Stats; lock: RootLock },
  ) {
    this.path = path
    this.#identity = identity
    this.log = options.log
    this.idMaps = options.idMaps ?? NO_ID_MAPS
    this.root = rootOf(this.idMaps)
    this.#lock = lock
    this.#thread = new Thread(new URL('home-worker.js', import.meta.url), path)
  }

  /**
   * Makes the directory if need be, and takes it for this process.
   *
   * @throws InUseError when another process has it.
   */
  static async open(directory: string, options: HomeOptions): Promise<Home> {
    const { gid } = rootOf(options.idMaps ?? NO_ID_MAPS)
    await fs.mkdir(directory, { recursive: true, mode: 0o710 })
    const path = await fs.realpath(directory)
    await fs.chown(path, 0, gid)
    await fs.chmod(path, 0o710)
    const lock = await lockRoot(path, options.log)
    return new Home(path, options, { identity: await fs.stat(path), lock })
  }

  /** `path` counted from Home, unless it is absolute already. */
  absolute(path: string): string {
    return isAbsolute(path) ? path : `${this.path}/${path}`
  }

  /** Whether the path still leads to the directory that was opened. */
  async isInPlace(): Promise<boolean> {
    try {
      const { dev, ino } = await fs.stat(this.path)
      return dev === this.#identity.dev && ino === this.#identity.ino
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false
      throw error
    }
  }

  /** A name that nothing has, for something in the making, or yet to be begun. */
  draft(kind: 'new' | 'blank' = 'new'): string {
    this.#drafts += 1
    return `${kind}-${this.#session}-${this.#drafts}`
  }

  /**
   * Does `steps` in order, and stops at the first that fails. Afterwards, while nobody
   * waits for it, makes the blank that a later call will begin with.
   */
  run(steps: readonly Step[], next?: Blank): Promise<void> {
    return this.#thread.call('run', steps, next)
  }

  /** Deletes what was made ahead, for when nobody will take it. */
  forgetBlanks(): Promise<void> {
    return this.#thread.call('forgetBlanks')
  }

  /**
   * Like `run`, here and now: for renames and unlinks, which take no room that the
   * disk would have to find. To hand them to a thread takes far longer.
   */
  runHere(steps: readonly Step[]): void {
    for (const step of steps) runStep(step, this.path)
  }

  /** Makes a directory of the house, unless it is there. */
  async ensureDirectory(path: string): Promise<void> {
    const { gid } = this.root
    try {
      await this.run([{ do: 'mkdir', path, mode: 0o710, uid: 0, gid }])
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error
    }
  }

  /**
   * Mounts `specs` one on the other at `target`, which is made. Answers whether
   * that was to be done, or `target` was a mountpoint already.
   */
  async mount(specs: readonly MountSpec[], target: string): Promise<boolean> {
    // Its directories are in use by one overlay at a time.
    await this.gone(target)
    try {
      return await this.#thread.call('mount', specs, target)
    } catch (error) {
      await this.unmount(target)
      throw error
    }
  }

  /**
   * Takes every mount off `target`, and `target` itself: removing the directory
   * also takes the mount out of other mount namespaces. Nobody waits for what was
   * written there to reach the disk, but who mounts there next.
   */
  async unmount(target: string): Promise<void> {
    const path = this.absolute(target)
    await this.#detach(path)
    for (;;) {
      try {
        // An empty directory of ours: to hand it to a thread takes far longer.
        rmdirSync(path)
        return
      } catch (error) {
        if (isErrno(error, 'ENOENT')) return
        if (!isErrno(error, 'EBUSY')) throw error
      }
      if (!(await this.#detach(path))) {
        throw new Error(`"${path}" is busy though nothing is mounted there`)
      }
    }
  }

  /** Settles when nothing that was taken off `target` is in use. */
  gone(target: string): Promise<void> | void {
    const place = this.absolute(target)
    if (this.#detached.has(place)) return this.#detached.gone(place)
  }

  /** The mountpoints beneath Home, deepest first. */
  mountpoints(): Promise<readonly string[]> {
    return mountsBelow(this.path)
  }

  /** Waits also for what was detached before, so that nothing of it is in use. */
  async detachAll(): Promise<void> {
    for (const mountpoint of await this.mountpoints()) {
      await this.#detach(mountpoint)
    }
    await this.#detached.allGone()
  }

  async close(): Promise<void> {
    await this.#detached.allGone()
    await this.forgetBlanks()
    await this.#thread.close()
    await this.#lock.release()
  }

  /** Whether there was something to detach. */
  async #detach(path: string): Promise<boolean> {
    try {
      this.#detached.add(path, await detach(path))
      return true
    } catch (error) {
      if (isErrno(error, 'EINVAL', 'ENOENT')) return false
      throw error
    }
  }
}

function rootOf({ uids, gids }: IdMaps): Owner {
  return { uid: toHost(0, uids), gid: toHost(0, gids) }
}
