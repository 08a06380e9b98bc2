import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { InUseError } from '../../src/base/errors.ts'
import { SILENT } from '../../src/base/log.ts'
import { mount, unmount } from '../../src/linux/mount.ts'
import { isMountpoint, mountsBelow } from '../../src/linux/mountinfo.ts'
import { VolumeLookupCache } from '../../src/volume/volume-lookup-cache.ts'
import { parseStoreSpecs, storeSource } from '../../src/volume/volume-stores.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { serveDirectory } from '../support/served-directory.ts'

/** Shows the directory `outside` somewhere else; its server goes with the mount. */
type Show = (outside: string) => Promise<string>

describeLiveMounts('a bind mount', async (outside) => outside, [])
describeLiveMounts(
  'a mount with a server of its own',
  async (outside) => {
    const { path } = await serveDirectory(outside)
    return path
  },
  ['bindfs'],
)

/**
 * What a removal must not touch: other files that somebody shows in the midst of a
 * volume's. All that is outside is as it was, whatever is done to the volume.
 */
function describeLiveMounts(
  what: string,
  show: Show,
  more: readonly 'bindfs'[],
): void {
  describe(`A volume with ${what} in it`, () => {
    needs('root', ...more)
    const home = useTempDir()
    let volumes: VolumeLookupCache
    let inside: string
    let shown: string

    const open = async (): Promise<VolumeLookupCache> => {
      const dataRoot = join(home.path, 'root')
      const opened = await VolumeLookupCache.open({
        dataRoot,
        stores: parseStoreSpecs('default=local:').map((spec) =>
          storeSource(spec, { dataRoot, log: SILENT }),
        ),
        log: SILENT,
      })
      await opened.opened()
      return opened
    }

    beforeEach(async () => {
      const outside = join(home.path, 'outside')
      await fs.mkdir(outside)
      shown = await show(outside)
      await fs.mkdir(join(shown, 'deep'))
      await fs.writeFile(join(shown, 'deep', 'precious'), 'precious')
      volumes = await open()
      await volumes.create('db', {})
      inside = join(await volumes.mount('db', 'one'), 'inside')
      await fs.mkdir(inside)
      await volumes.unmount('db', 'one')
      mount({ type: 'bind', source: shown, options: [] }, inside)
    })

    afterEach(async () => {
      await volumes.close()
      for (const point of await mountsBelow(home.path)) await unmount(point)
    })

    const expectPrecious = async (): Promise<void> => {
      const path = join(shown, 'deep', 'precious')
      expect(await fs.readFile(path, 'utf8')).to.equal('precious')
      expect(await fs.readdir(shown)).to.deep.equal(['deep'])
    }

    it('is not removed, to the trash or for good, until it is unmounted', async () => {
      for (const forGood of [false, true]) {
        await expectRejection(
          volumes.remove('db', { forGood }),
          InUseError,
          /"[^"]*\/inside" is mounted: unmount it first/,
        )
        expect(await isMountpoint(inside)).to.equal(true)
        await expectPrecious()
      }
      await unmount(inside)
      await volumes.remove('db', { forGood: true })
      await expectPrecious()
    })

    it('is not deleted from the trash, if it was mounted there', async () => {
      await unmount(inside)
      const removed = await volumes.remove('db')
      const trash = join(home.path, 'root/volumes/default/trash', removed!.id)
      const place = join(trash, 'data', 'inside')
      mount({ type: 'bind', source: shown, options: [] }, place)
      await expectRejection(volumes.trash.delete(removed!), InUseError)
      await expectPrecious()
      await unmount(place)
      await volumes.trash.delete(removed!)
      await expectPrecious()
    })

    it('is not swept away by the next start, when a crash had left it half removed', async () => {
      await volumes.close()
      const store = join(home.path, 'root/volumes/default')
      await fs.rename(join(store, 'volumes/db'), join(store, 'rm-1'))
      volumes = await open()
      await volumes.close()
      expect(await isMountpoint(join(store, 'rm-1/data/inside'))).to.equal(true)
      await expectPrecious()
      await unmount(join(store, 'rm-1/data/inside'))
      volumes = await open()
      await volumes.close()
      expect(await fs.readdir(store)).to.not.include('rm-1')
      await expectPrecious()
    })
  })
}
