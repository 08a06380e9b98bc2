import * as fs from 'node:fs'
import { workerData } from 'node:worker_threads'
import { isErrno } from '../base/errors.ts'
import { serveCalls } from '../base/thread.ts'
import { type MountSpec, mount } from '../linux/mount.ts'
import { MOUNTINFO, parseMountInfo } from '../linux/mountinfo.ts'
import { enterDirectory } from '../linux/own-directory.ts'
import { runStep, type Step } from './step.ts'

/** What the thread of a `Home` does. Relative paths count from Home. */
export type HomeCalls = {
  run(steps: readonly Step[]): void
  mount(specs: readonly MountSpec[], target: string): boolean
}

const home = String(workerData)
enterDirectory(home)

serveCalls({
  run(steps) {
    for (const step of steps) runStep(step)
  },

  mount(specs, target) {
    if (!makeDirectory(target) && isMounted(`${home}/${target}`)) return false
    for (const spec of specs) mount(spec, target)
    return true
  },
} satisfies HomeCalls)

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
