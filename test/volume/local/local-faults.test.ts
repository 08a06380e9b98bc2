import { spawn } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { isErrno } from '../../../src/base/errors.ts'
import { isMountpoint } from '../../../src/linux/mountinfo.ts'
import type { FolderStore } from '../../../src/volume/folder-store.ts'
import { LocalKeeping } from '../../../src/volume/local/local-keeping.ts'
import { VolumeNotFoundError } from '../../../src/volume/volume-errors.ts'
import { parseVolumeOptions } from '../../../src/volume/volume-options.ts'
import { needs } from '../../../src/conformance/capabilities.ts'
import { storeKeptBy } from '../../support/open-store.ts'
import { useTempDir } from '../../../src/conformance/temp-dir.ts'

/** How many calls of each kind fail, one in each run: the first alone by default. */
const FAULTS = Number(process.env.STOWAGE_FAULTS ?? 1)

const SCRIPT = fileURLToPath(
  new URL('../../support/store-script.js', import.meta.url),
)

/** What is done to a store, and how often it makes which system call for that. */
const ACTS = {
  create: { mkdir: 3, chown: 1, chmod: 1, fsync: 2, rename: 1 },
  mount: { mount: 2 },
  remove: { rename: 1, fsync: 1, rmdir: 4, unlink: 1 },
} as const

type Act = keyof typeof ACTS

/** What befalls the system call, in the words of strace(1). */
const FATES = { fails: 'error=EIO', 'is never reached': 'signal=SIGKILL' }

const openLocal = storeKeptBy(async () => new LocalKeeping())

describe('A local store, when one system call', function () {
  needs('root', 'strace')
  this.timeout(60_000)
  let store: FolderStore
  afterEach(() => store.close())
  const home = useTempDir()

  const open = async (): Promise<void> => {
    store = await openLocal(home.path)
  }

  /** A store with a volume that has a file, as `act` finds it. */
  const prepare = async (act: Act): Promise<void> => {
    await open()
    const ro = parseVolumeOptions({ ro: '' })
    for (const name of act === 'create' ? ['kept'] : ['kept', 'db']) {
      await store.create(name, ro)
      await fs.writeFile(join(await store.mount(name), 'file'), name)
      await store.unmount(name)
    }
    await store.close()
  }

  /** The other volume is as it was, and of this one there is all or nothing. */
  const check = async (act: Act, isReported: boolean): Promise<void> => {
    const volumes = join(home.path, 'volumes')
    if (act === 'create' && isReported) {
      expect(await fs.readdir(volumes)).to.deep.equal(['kept'])
    }
    const view = join(volumes, 'db', 'view')
    if (act === 'mount' && isReported) {
      expect(await isMountpoint(view)).to.equal(false)
    }
    await open()
    expect((await store.list()).problems).to.deep.equal([])
    await expectFile('kept')

    if (act === 'mount') await expectFile('db')
    if (act === 'remove') await removeAgain()
    if (!(await has('db'))) {
      await store.create('db', parseVolumeOptions({}))
      expect(await fs.readdir(await store.mount('db'))).to.deep.equal([])
    }
    await store.close()
    expect(await fs.readdir(home.path)).to.have.members([
      'format',
      'lock',
      'volumes',
    ])
    expect(await isMountpoint(view)).to.equal(false)
  }

  const expectFile = async (name: string): Promise<void> => {
    const path = await store.mount(name)
    expect(await fs.readFile(join(path, 'file'), 'utf8')).to.equal(name)
    await store.unmount(name)
  }

  const removeAgain = async (): Promise<void> => {
    if (await has('db')) await expectFile('db')
    try {
      await store.remove('db')
    } catch (error) {
      if (!(error instanceof VolumeNotFoundError)) throw error
    }
  }

  const has = async (name: string): Promise<boolean> =>
    (await store.list()).volumes.some((volume) => volume.name === name)

  for (const [act, calls] of Object.entries(ACTS) as [Act, object][]) {
    for (const [fate, injection] of Object.entries(FATES)) {
      it(`${fate} in ${act}, has done all of it or nothing`, async () => {
        for (const [call, times] of Object.entries(calls)) {
          for (let nth = 1; nth <= Math.min(times, FAULTS); nth++) {
            await prepare(act)
            const inject = `${call}:${injection}:when=${nth}`
            const isReported = await hasFailed(home.path, act, inject)
            try {
              await check(act, isReported)
            } catch (error) {
              throw new Error(`after ${inject}`, { cause: error })
            }
            await emptied(home.path)
          }
        }
      })
    }
  }
})

/** Runs one act in a process of its own, and answers whether that said it failed. */
async function hasFailed(
  directory: string,
  act: Act,
  inject: string,
): Promise<boolean> {
  const [call] = inject.split(':')
  const strace = ['-f', '-o', '/dev/null', '-e', `trace=${call}`]
  const script = [process.execPath, SCRIPT, directory, act, 'db']
  const child = spawn(
    'strace',
    [...strace, '-e', `inject=${inject}`, ...script],
    {
      // Calls are counted by thread, so only one may make them.
      env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 20_000,
    },
  )
  return (await text(child.stdout)) === 'failed'
}

async function emptied(directory: string): Promise<void> {
  for (const name of await fs.readdir(directory)) {
    try {
      await fs.rm(join(directory, name), { recursive: true })
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
    }
  }
}
