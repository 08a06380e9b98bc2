import * as fs from 'node:fs'
import { workerData } from 'node:worker_threads'

/**
 * A thread that exchanges a directory for a link to another and back, as fast as it
 * can, which is what a container does that wants a file outside of its own root.
 */
export interface Swapping {
  readonly directory: string
  readonly target: string
}

const { directory, target } = workerData as Swapping
const aside = `${directory}-aside`

for (;;) {
  try {
    fs.renameSync(directory, aside)
    fs.symlinkSync(target, directory)
    fs.unlinkSync(directory)
    fs.renameSync(aside, directory)
  } catch {
    // Whoever removes the tree wins in the end, and then nothing is left to exchange.
    if (!fs.existsSync(aside) && !fs.existsSync(directory)) break
    try {
      if (!fs.existsSync(directory)) fs.renameSync(aside, directory)
      else fs.rmSync(directory)
    } catch {
      // It goes on with what is there.
    }
  }
}
