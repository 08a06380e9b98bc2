import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import * as fc from 'fast-check'
import { applyLayer } from '../../src/archive/layer-apply.ts'
import { getXattr } from '../../src/linux/xattr.ts'
import { unmount } from '../../src/linux/mount.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { forgeTar } from '../../src/conformance/forge-tar.ts'
import { appliedToOverlay } from '../support/overlay-apply.ts'
import {
  applyInOrder,
  buildBelow,
  contradictoryLayers,
  describedTree,
  possible,
} from '../support/random-layers.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { build, directory, file, portray } from '../../src/conformance/tree.ts'

const RUNS = Number(process.env.STOWAGE_TEST_RUNS ?? 20)

describe('A layer that is applied to overlay’s upper directory', () => {
  needs('root', 'overlay')
  const dir = useTempDir()

  it('shows the tree that an apply to a copy makes, two layers high', async function () {
    this.timeout(0)
    let round = 0
    await fc.assert(
      fc.asyncProperty(
        contradictoryLayers,
        contradictoryLayers,
        async (below, entries) => {
          const [plain, mounted] = ['plain', 'mounted'].map((name) =>
            join(dir.path, `${name}-${round}`),
          )
          round++
          const first = await possible(plain!, below)
          const apply = appliedToOverlay('in-root')
          await Promise.all([buildBelow(plain!), buildBelow(mounted!)])
          for (const layer of [first, entries]) {
            // The second is cut where it would fail: there the trees may differ.
            const failed = applyInOrder(plain!, layer)
            if (failed !== undefined) break
            await apply(mounted!, Readable.from([forgeTar(...layer)]))
            const expected = await describedTree(plain!)
            const found = await describedTree(mounted!)
            const how = JSON.stringify([first, entries])
            expect(found, how).to.deep.equal(expected)
          }
          await unmount(mounted!)
        },
      ),
      { numRuns: RUNS },
    )
  })

  it('holds nothing but what the layer says', async () => {
    await build(
      dir.path,
      directory('lower/a', { mode: 0o710, uid: 4 }),
      file('lower/a/1', 'one'),
      directory('lower/gone'),
      directory('upper'),
    )
    await applyLayer(
      join(dir.path, 'upper'),
      Readable.from([
        forgeTar(
          { name: 'a/2', content: 'two' },
          { name: '.wh.gone' },
          { name: '.wh.missing' },
          { name: 'nowhere/.wh.x' },
          { name: 'new/.wh..wh..opq' },
        ),
      ]),
      { lowers: [join(dir.path, 'lower')] },
    )
    const upper = join(dir.path, 'upper')
    const found = await portray(upper)
    expect(Object.keys(found)).to.have.members(['.', 'a', 'a/2', 'gone', 'new'])
    expect(found['a']).to.include({ mode: '710', owner: '4:0' })
    expect(found['gone']).to.include({ type: 'character', device: '0:0' })
    expect(getXattr(join(upper, 'new'), 'trusted.overlay.opaque')).to.equal(
      undefined,
    )
  })

  it('fills directories from below with files of any size', async () => {
    const names = ['a', 'b', 'c', 'd']
    await fs.mkdir(join(dir.path, 'upper'))
    await build(
      dir.path,
      ...names.map((name) => directory(`lower/${name}`, { mode: 0o710 })),
    )
    const entries = names.flatMap((name) => [
      { name: `${name}/large`, content: largeFile(name) },
      { name: `${name}/small`, content: name },
    ])
    const upper = join(dir.path, 'upper')
    const lowers = [join(dir.path, 'lower')]
    const bytes = await applyLayer(
      upper,
      Readable.from([forgeTar(...entries)]),
      { lowers },
    )
    expect(bytes).to.equal(names.length * ((3 << 20) + 1))
    for (const name of names) {
      const large = await fs.readFile(join(upper, name, 'large'))
      expect(large.equals(largeFile(name)), name).to.equal(true)
      expect((await fs.stat(join(upper, name))).mode & 0o777).to.equal(0o710)
    }
  })

  it('links to a file that it put in place of a directory from below', async () => {
    await fs.mkdir(join(dir.path, 'upper'))
    await build(dir.path, directory('lower/a/name'))
    const upper = join(dir.path, 'upper')
    await applyLayer(
      upper,
      Readable.from([
        forgeTar(
          { name: 'a/name', content: 'now a file' },
          { name: 'link', type: '1', linkName: 'a/name' },
        ),
      ]),
      { lowers: [join(dir.path, 'lower')] },
    )
    expect(await fs.readFile(join(upper, 'link'), 'utf8')).to.equal(
      'now a file',
    )
  })

  it('follows no link that it has taken away again', async () => {
    const upper = join(dir.path, 'upper')
    await fs.mkdir(upper)
    await fs.mkdir(join(dir.path, 'lower'))
    await applyLayer(
      upper,
      Readable.from([
        forgeTar(
          { name: 'real', type: '5' },
          { name: 'link', type: '2', linkName: 'real' },
          { name: 'link/.wh.missing' },
          { name: '.wh.link' },
          { name: 'link/file' },
        ),
      ]),
      { lowers: [join(dir.path, 'lower')] },
    )
    const tree = await portray(upper)
    expect(tree).to.include.keys('real', 'link', 'link/file')
    expect(tree).not.to.include.keys('real/file')
  })

  it('leaves the time of a directory that it hides nothing in, and of no other', async () => {
    const LONG_AGO = { mtime: 5 }
    await fs.mkdir(join(dir.path, 'upper'))
    await build(
      dir.path,
      directory('lower/empty'),
      directory('lower/filled'),
      directory('lower/full/of'),
      directory('lower/empty', LONG_AGO),
      directory('lower/filled', LONG_AGO),
      directory('lower/full', LONG_AGO),
    )
    const upper = join(dir.path, 'upper')
    await applyLayer(
      upper,
      Readable.from([
        forgeTar(
          { name: 'empty/.wh..wh..opq' },
          { name: 'filled/.wh..wh..opq' },
          { name: 'filled/new' },
          { name: 'full/.wh..wh..opq' },
        ),
      ]),
      { lowers: [join(dir.path, 'lower')] },
    )
    const { empty, filled, full } = await portray(upper)
    expect(empty?.mtime).to.equal(5_000_000_000n)
    expect(filled?.mtime).not.to.equal(5_000_000_000n)
    expect(full?.mtime).not.to.equal(5_000_000_000n)
  })

  it('leaves the lowers as they are', async () => {
    await buildBelow(join(dir.path, 'lower'))
    await fs.mkdir(join(dir.path, 'upper'))
    const before = await portray(join(dir.path, 'lower'))
    await applyLayer(
      join(dir.path, 'upper'),
      Readable.from([
        forgeTar(
          { name: 'h', type: '1', linkName: 'lnk/b/a', mode: 0o777, uid: 7 },
          { name: 'lnk/b/a', content: 'over' },
          { name: 'a/new/', type: '5', mode: 0o700 },
          { name: '.wh..wh..opq' },
        ),
      ]),
      { lowers: [join(dir.path, 'lower')] },
    )
    expect(await portray(join(dir.path, 'lower'))).to.deep.equal(before)
  })
})

function largeFile(filling: string): Buffer {
  return Buffer.alloc(3 << 20, filling)
}
