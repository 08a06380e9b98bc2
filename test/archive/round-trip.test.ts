import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import * as fc from 'fast-check'
import { applyLayer } from '../../src/archive/layer-apply.ts'
import { layerChanges } from '../../src/archive/layer-changes.ts'
import { layerDiff, packTree } from '../../src/archive/layer-diff.ts'
import { anyTree } from '../support/any-tree.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  build,
  file,
  hardLink,
  portray,
  type Portrait,
  sparseFile,
} from '../../src/conformance/tree.ts'

const RUNS = Number(process.env.STOWAGE_RUNS ?? 30)

describe('A tree that goes through a tar', () => {
  needs('root')
  const home = useTempDir()
  let count = 0

  /** An empty directory, new for each run of a property. */
  async function place(): Promise<string> {
    count += 1
    const path = join(home.path, `${count}`)
    await fs.mkdir(path)
    return path
  }

  async function copyOf(tree: string): Promise<string> {
    const copy = await place()
    await applyLayer(copy, await packTree(tree))
    return copy
  }

  it('comes out of an export the same in every attribute', async function () {
    this.timeout(600_000)
    await fc.assert(
      fc.asyncProperty(anyTree(), async (make) => {
        const tree = await place()
        await build(tree, make)
        expect(await portray(await copyOf(tree))).to.deep.equal(
          await portray(tree),
        )
      }),
      { numRuns: RUNS },
    )
  })

  it('comes out of a layer the same in all that layers keep', async function () {
    this.timeout(600_000)
    await fc.assert(
      fc.asyncProperty(anyTree(), async (make) => {
        const [tree, copy] = [await place(), await place()]
        await build(tree, make)
        await applyLayer(copy, await layerDiff({ tree }))
        expect(await inLayer(copy)).to.deep.equal(await inLayer(tree))
      }),
      { numRuns: RUNS },
    )
  })

  it('comes out of the changes on top of its parent likewise', async function () {
    this.timeout(600_000)
    await fc.assert(
      fc.asyncProperty(anyTree(), anyTree(), async (before, after) => {
        const parent = await place()
        await build(parent, before)
        const tree = await copyOf(parent)
        await build(tree, after)
        const copy = await copyOf(parent)
        await applyLayer(copy, await layerDiff({ tree, parent }))
        expect(unlinked(await inLayer(copy))).to.deep.equal(
          unlinked(await inLayer(tree)),
        )
        for await (const { path, kind } of layerChanges({
          tree: copy,
          parent: tree,
        })) {
          expect.fail(`${path.toString('latin1')} is ${kind}`)
        }
      }),
      { numRuns: RUNS },
    )
  })

  it('keeps files of many megabytes, and the names they share', async () => {
    const tree = await place()
    const content = Buffer.alloc(64 * 1024 * 1024 - 1)
    for (let at = 0; at < content.length - 4; at += 509) {
      content.writeUInt32LE(at, at)
    }
    await build(tree, file('big', content), hardLink('same', 'big'))
    const copy = await place()
    await applyLayer(copy, await layerDiff({ tree }))
    expect(await inLayer(copy)).to.deep.equal(await inLayer(tree))
  })

  it('has a sparse file of nine gibibytes at its true size', async () => {
    const tree = await place()
    const size = 9 * 1024 ** 3
    await build(tree, sparseFile('sparse', size, { [size - 5]: 'end' }))
    const tar = await layerDiff({ tree })
    const [first] = (await once(tar, 'data')) as [Buffer]
    tar.destroy()
    expect(first.toString('latin1')).to.include(`size=${size}\n`)

    const copy = await copyOf(tree)
    const { size: copied, blocks } = await fs.stat(join(copy, 'sparse'))
    expect(copied).to.equal(size)
    expect(blocks).to.be.lessThan(100)
    const handle = await fs.open(join(copy, 'sparse'))
    const { buffer } = await handle.read(Buffer.alloc(8), 0, 8, size - 8)
    await handle.close()
    expect(buffer).to.deep.equal(Buffer.from('\0\0\0end\0\0'))
  })
})

/** What a layer keeps of a tree: of the root nothing, no xattrs, whole seconds. */
async function inLayer(root: string): Promise<Record<string, Portrait>> {
  const { '.': _root, ...rest } = await portray(root, {
    wholeSeconds: true,
    without: ['xattrs'],
  })
  return rest
}

/** Nor, where only changes are kept, names shared with what is below, and times of directories. */
function unlinked(
  portrait: Record<string, Portrait>,
): Record<string, Partial<Portrait>> {
  return Object.fromEntries(
    Object.entries(portrait).map(
      ([name, { linkedTo: _linkedTo, mtime, ...rest }]) => [
        name,
        rest.type === 'directory' ? rest : { ...rest, mtime },
      ],
    ),
  )
}
