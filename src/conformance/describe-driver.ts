import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Driver, NO_PARENT } from '../graph/driver.ts'
import { describeApplying } from './describe-applying.ts'
import { describeLayerTars } from './describe-layer-tars.ts'
import { forgeTar } from './forge-tar.ts'
import type { Opener } from './open-graph.ts'
import { PATIENCE, type SuiteOptions } from './suite-options.ts'
import { useDiffs } from './use-diffs.ts'
import { useDriver } from './use-driver.ts'

const MAPS = [{ containerId: 0, hostId: 100_000, size: 65_536 }]

/**
 * The diff half of `Driver`, as tests: changes and layer tars, out and in. What a
 * driver has of `ProtoDriver` is in `describeProtoDriver`.
 */
export function describeDriver(
  name: string,
  open: Opener<Driver>,
  options: SuiteOptions = {},
): void {
  describe(`${name} as a Driver`, function () {
    this.timeout(PATIENCE)
    const suite = useDriver(open, options)
    const diffs = useDiffs(suite)
    const { within } = suite
    const { look, diff, apply } = diffs

    describeLayerTars(suite, diffs)
    describeApplying(suite, diffs)

    describe('in a user namespace', () => {
      beforeEach(async () => {
        const maps = { uids: MAPS, gids: MAPS }
        await suite.openOn(join(suite.directory, 'mapped'), maps)
      })

      it('owners are the host’s on disk and the namespace’s in a tar', async () => {
        await suite.driver.create('base', NO_PARENT)
        const tar = forgeTar(
          { name: 'mine', content: 'm', uid: 5, gid: 6 },
          { name: 'dir/', type: '5' },
        )
        await apply('base', NO_PARENT, tar)
        const found = await look('base')
        expect(found['.']?.owner).to.equal('100000:100000')
        expect(found.mine?.owner).to.equal('100005:100006')
        expect(found.dir?.owner).to.equal('100000:100000')
        const out = await diff('base', NO_PARENT)
        await suite.driver.create('again', NO_PARENT)
        await apply('again', NO_PARENT, out)
        expect(await look('again')).to.deep.equal(found)
      })

      it('the home is open to the namespace’s root, and to nobody else', async () => {
        const { mode, uid, gid } = await fs.stat(
          join(suite.directory, 'mapped'),
        )
        expect([(mode & 0o7777).toString(8), uid, gid]).to.deep.equal([
          '710',
          0,
          100_000,
        ])
      })
    })

    it('reads through forty layers what each of them changed', async function () {
      this.timeout(60_000)
      await suite.driver.create('layer-0', NO_PARENT)
      await apply('layer-0', NO_PARENT, forgeTar({ name: 'file-0' }))
      for (let index = 1; index <= 40; index++) {
        const [id, parent] = [`layer-${index}`, `layer-${index - 1}`]
        await suite.driver.create(id, parent)
        const tar = forgeTar(
          { name: 'top', content: String(index) },
          { name: `file-${index}`, content: String(index) },
          { name: `.wh.file-${index - 1}` },
        )
        await apply(id, parent, tar)
      }
      const names = await within('layer-40', (at) => fs.readdir(at))
      expect(names.toSorted()).to.deep.equal(['file-40', 'top'])
    })
  })
}
