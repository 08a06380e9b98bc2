import * as fs from 'node:fs'
import { workerData } from 'node:worker_threads'
import { removeTree } from '../archive/remove-tree.ts'
import { isErrno } from '../base/errors.ts'
import { serveCalls } from '../base/thread.ts'
import { type MountSpec, mount } from '../linux/mount.ts'
import { MOUNTINFO, parseMountInfo } from '../linux/mountinfo.ts'
import { enterDirectory } from '../linux/own-directory.ts'
import { type Blank, runStep, type Step } from './step.ts'

/** What the thread of a `Home` does. Relative paths count from Home. */
export type HomeCalls = {
  /** Does `steps`, and makes `next` when that has been answered. */
  run(steps: readonly Step[], next?: Blank): void
  /** Deletes the blanks that were made for nothing. */
  forgetBlanks(): void
  mount(specs: readonly MountSpec[], target: string): boolean
}

const home = String(workerData)
enterDirectory(home)

/** The paths of blanks made ahead, and whether all of each is there. */
const blanks = new Map<string, boolean>()

serveCalls({
  run(steps, next) {
    for (const step of steps) {
      if (step.do === 'blank') takeBlank(step)
      else runStep(step)
    }
    if (next !== undefined) queueMicrotask(() => makeAhead(next))
  },

  forgetBlanks() {
    for (const path of blanks.keys()) removeTree(path)
    blanks.clear()
  },

  mount(specs, target) {
    if (!makeDirectory(target) && isMounted(`${home}/${target}`)) return false
    for (const spec of specs) mount(spec, target)
    return true
  },
} satisfies HomeCalls)

function takeBlank(blank: Blank): void {
  const isWhole = blanks.get(blank.path) === true
  blanks.delete(blank.path)
  if (isWhole) return
  // A part of it may be there; a thread that died may have made it, and told nobody.
  removeTree(blank.path)
  runStep(blank)
}

function makeAhead(blank: Blank): void {
  blanks.set(blank.path, false)
  try {
    runStep(blank)
    blanks.set(blank.path, true)
  } catch {
    // It fails again, and is told, when somebody takes it.
  }
}

/** Whether the directory is new. An old one is a mountpoint, or a crash left it. */
function makeDirectory(path: string): boolean {
  try {
    fs.mkdirSync(path, { mode: 0o700 })
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  }
}

function isMounted(path: string): boolean {
  const text = fs.readFileSync(MOUNTINFO, 'utf8')
  return parseMountInfo(text).some(({ mountpoint }) => mountpoint === path)
}
