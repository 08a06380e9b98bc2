import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { UnavailableError } from '../../src/base/errors.ts'
import { SILENT } from '../../src/base/log.ts'
import { mount, unmount } from '../../src/linux/mount.ts'
import { VolumeLookupCache } from '../../src/volume/volume-lookup-cache.ts'
import { parseStoreSpecs, storeSource } from '../../src/volume/volume-stores.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  type ServedDirectory,
  serveDirectory,
} from '../support/served-directory.ts'
import { until } from '../support/until.ts'

/** Milliseconds that a call may take while the server hangs. */
const DEADLINE = 300

describe('Volumes whose files have a server', () => {
  needs('root', 'bindfs')
  const home = useTempDir()
  let served: ServedDirectory
  let volumes: VolumeLookupCache

  const open = async (deadline: number): Promise<VolumeLookupCache> => {
    const dataRoot = join(home.path, 'root')
    const stores = `default=local: nas=local:${served.path}/store`
    const opened = await VolumeLookupCache.open({
      dataRoot,
      stores: parseStoreSpecs(stores).map((spec) =>
        storeSource(spec, { dataRoot, log: SILENT }),
      ),
      log: SILENT,
      deadline,
    })
    await opened.opened()
    return opened
  }

  beforeEach(async () => {
    served = await serveDirectory(home.path)
    volumes = await open(60_000)
    await volumes.create('near', {})
  })

  afterEach(async () => {
    served.goOn()
    await volumes.close()
    await served.close()
  })

  /** What is done for those who have nothing to do with the server. */
  const othersAreServed = async (): Promise<void> => {
    await until(() => succeeds(volumes.mount('near', 'one')))
    await until(() => succeeds(volumes.unmount('near', 'one')))
    const names = volumes.list().map(({ name }) => name)
    expect(names).to.deep.equal(['far', 'near'])
  }

  const KINDS = {
    'a store': async () => void (await volumes.create('far', { store: 'nas' })),
    'an adopted directory': async () => {
      const path = join(served.path, 'theirs')
      await fs.mkdir(path)
      await volumes.adopt('far', path)
    },
  }

  for (const [kind, make] of Object.entries(KINDS)) {
    describe(`with ${kind}`, () => {
      beforeEach(make)

      it('are told to be out of reach while it hangs, at once in the end, and are there when it goes on', async () => {
        await volumes.close()
        volumes = await open(DEADLINE)
        served.hang()
        const first = await expectRejection(
          volumes.mount('far', 'one'),
          UnavailableError,
        )
        expect(first.message).to.match(/Mounting volume "far" did not finish/)
        await othersAreServed()
        // Nobody waits behind it any more.
        await until(async () => {
          const mounting = volumes.mount('far', 'two')
          const error = await expectRejection(mounting, UnavailableError)
          return /was not begun: mounting volume "far" has not ended/.test(
            error.message,
          )
        })
        served.goOn()
        await until(() => succeeds(volumes.mount('far', 'three')))
      })

      it('are told to be out of reach when it has died, and are there when it is served again', async () => {
        served.hang()
        const mounting = expectRejection(
          volumes.mount('far', 'one'),
          UnavailableError,
        )
        await served.die()
        await mounting
        const error = await expectRejection(
          volumes.mount('far', 'two'),
          UnavailableError,
        )
        expect(error.message).to.match(
          /".*served.*" is not served any more.* mount it again/,
        )
        await othersAreServed()
        await served.serveAgain()
        await until(() => succeeds(volumes.mount('far', 'three')))
      })
    })
  }

  it('are not taken for absent when their filesystem is away', async () => {
    await volumes.create('far', { store: 'nas' })
    const away = `${served.path}/store`
    await fs.rename(away, `${away}-away`)
    for (const act of [
      () => volumes.mount('far', 'one'),
      () => volumes.remove('far'),
      () => volumes.remove('far', { forGood: true }),
      () => volumes.create('new', { store: 'nas' }),
    ]) {
      const error = await expectRejection(act(), UnavailableError)
      expect(error.message).to.match(/held a volume store and does not now/)
    }
    expect(volumes.entry('far').problem).to.match(/mount its filesystem/)
    await fs.rename(`${away}-away`, away)
    await until(() => succeeds(volumes.mount('far', 'one')))
  })

  it('are not needed by a volume that they are shown in', async () => {
    const path = await volumes.mount('near', 'one')
    await volumes.unmount('near', 'one')
    const shown = join(path, 'shown')
    await fs.mkdir(shown)
    mount({ type: 'bind', source: served.path, options: [] }, shown)
    served.hang()
    try {
      await volumes.mount('near', 'one')
      await volumes.unmount('near', 'one')
      expect(await volumes.usage('near')).to.include({ inodes: 1 })
      await volumes.snapshots.create('near', { name: 'now' })
      await volumes.changes.clone('near', 'copy')
      expect(await volumes.usage('copy')).to.include({ inodes: 2 })
    } finally {
      await unmount(shown)
    }
  })
})

async function succeeds(work: Promise<unknown>): Promise<boolean> {
  try {
    await work
    return true
  } catch (error) {
    if (error instanceof UnavailableError) return false
    throw error
  }
}
