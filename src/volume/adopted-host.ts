import * as fs from 'node:fs/promises'
import { usageOf } from '../archive/tree-usage.ts'
import { InvalidArgumentError, isErrno } from '../base/errors.ts'
import { serveProcess } from '../base/side-process.ts'
import { showView } from './bind-view.ts'
import type { VolumeUsage } from './volume-usage.ts'

/** All that is ever done with a directory that somebody else owns: it is looked at. */
const calls = {
  /**
   * Where the directory really is.
   *
   * @throws InvalidArgumentError when it is not there, or no directory.
   */
  async locate(path: string): Promise<string> {
    try {
      const status = await fs.stat(path)
      if (status.isDirectory()) return await fs.realpath(path)
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error
      throw new InvalidArgumentError(`"${path}" does not exist`, {
        cause: error,
      })
    }
    throw new InvalidArgumentError(`"${path}" is not a directory`)
  },

  async usage(path: string): Promise<VolumeUsage> {
    return usageOf(path)
  },

  /** Shows it at `view` too, read-only. */
  async show(path: string, view: string): Promise<void> {
    await showView(path, view, { readonly: true })
  },
}

export type AdoptedCalls = typeof calls

serveProcess(calls)
