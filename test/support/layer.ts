import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { ApplyOptions } from '../../src/archive/layer-apply.ts'
import { isErrno } from '../../src/base/errors.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { type ForgedEntry, forgeTar } from '../../src/conformance/forge-tar.ts'
import { type TempDir, useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  build,
  directory,
  file,
  portray,
  symlink,
} from '../../src/conformance/tree.ts'

/** Applies a layer tar to a tree, in one of the ways that there are. */
export type ApplyLayer = (
  root: string,
  tar: Readable,
  options?: ApplyOptions,
) => Promise<number>

/** A layer to apply things to, and eyes to see what became of it. */
export interface Layer {
  readonly dir: TempDir
  /** Applies a tar of these entries. */
  readonly apply: (...entries: readonly ForgedEntry[]) => Promise<number>
  readonly applyTar: (tar: Buffer, options?: ApplyOptions) => Promise<number>
  /** The error that applying them ends with. */
  readonly refusal: (...entries: readonly ForgedEntry[]) => Promise<Error>
  readonly at: (path: string) => string
  /** What is below `path`, by names from there. */
  readonly names: (path?: string) => Promise<string[]>
  readonly text: (path: string) => Promise<string>
  readonly isThere: (path: string) => Promise<boolean>
  readonly modeOf: (path: string) => Promise<string>
}

const BELOW = [
  directory('a'),
  file('a/1', 'one'),
  file('a/2', 'two'),
  directory('a/sub'),
  file('a/sub/3', 'three'),
  directory('b'),
  file('file', 'from below'),
  symlink('lnk', 'a'),
  symlink('abs', '/b'),
]

/** Gives each test of the suite a layer, which shows `BELOW` already. */
export function useLayer(applyLayer: ApplyLayer): Layer {
  const parent = useTempDir()
  const dir = {
    get path() {
      return join(parent.path, 'layer')
    },
  }
  beforeEach(async () => {
    await fs.mkdir(dir.path, { mode: 0o755 })
    await build(dir.path, ...BELOW)
  })

  const at = (path: string): string => join(dir.path, path)
  const applyTar: Layer['applyTar'] = (tar, options) =>
    applyLayer(dir.path, Readable.from([tar]), options)
  const apply: Layer['apply'] = (...entries) => applyTar(forgeTar(...entries))
  return {
    dir,
    at,
    apply,
    applyTar,
    refusal: (...entries) => expectRejection(apply(...entries), Error),
    names: async (path = '.') =>
      Object.keys(await portray(at(path))).filter((name) => name !== '.'),
    text: (path) => fs.readFile(at(path), 'utf8'),
    isThere: async (path) => {
      try {
        await fs.lstat(at(path))
        return true
      } catch (error) {
        if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false
        throw error
      }
    },
    modeOf: async (path) =>
      ((await fs.lstat(at(path))).mode & 0o7777).toString(8),
  }
}
