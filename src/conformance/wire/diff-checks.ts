import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { forgeTar, TAR_END } from '../forge-tar.ts'
import { build, file, remove } from '../tree.ts'
import type { Bench } from './bench.ts'
import type { Check } from './check.ts'
import { base, look, refuseOther } from './layer-checks.ts'
import { succeeds } from './volume-checks.ts'

const area = 'layers'

/** As Docker numbers them. */
const KINDS = ['modified', 'added', 'deleted']

/** Changes and layer tars, out and in. */
export const DIFF_CHECKS: readonly Check[] = [
  {
    area,
    title: 'tells what was modified, added and deleted',
    weight: 'must',
    async run(bench) {
      const [parent, child] = await changed(bench)
      const found = await changes(bench, child, parent)
      for (const [path, kind] of [
        ['/a file', 'modified'],
        ['/new', 'added'],
        ['/a subdir', 'deleted'],
      ]) {
        if (found.get(String(path)) === kind) continue
        throw new Error(
          `"${path}" was ${kind}, and Changes says ${found.get(String(path)) ?? 'nothing'}`,
        )
      }
    },
  },
  {
    area,
    title: 'tells no changes of a layer that nobody wrote to',
    weight: 'must',
    async run(bench) {
      const parent = await base(bench)
      const found = await changes(bench, await bench.layered(parent), parent)
      if (found.size > 0) throw new Error(`Changes tells of ${found.size}`)
    },
  },
  {
    area,
    title: 'makes of a sibling, by a layer tar, exactly what a layer is',
    weight: 'must',
    async run(bench) {
      const [parent, child] = await changed(bench)
      const tar = await diff(bench, child, parent)
      const sibling = await bench.layered(parent)
      await bench.docker.applyDiff(sibling, parent, tar)
      refuseOther(await look(bench, sibling), await look(bench, child))
    },
  },
  {
    area,
    title: 'ends a layer tar with two empty blocks',
    weight: 'must',
    async run(bench) {
      const [parent, child] = await changed(bench)
      const tar = await diff(bench, child, parent)
      if (tar.length % 512 !== 0) throw new Error(`It has ${tar.length} bytes`)
      if (!tar.subarray(-TAR_END.length).equals(TAR_END)) {
        throw new Error('It ends otherwise')
      }
    },
  },
  {
    area,
    title: 'makes the same bytes of the same layer each time',
    weight: 'should',
    async run(bench) {
      const [parent, child] = await changed(bench)
      const first = await diff(bench, child, parent)
      if (first.equals(await diff(bench, child, parent))) return
      throw new Error('Two tars of one layer differ')
    },
  },
  {
    area,
    title:
      'tells the failure of a Diff by another status than 200, and by no 404',
    weight: 'must',
    async run(bench) {
      const { status } = await bench.post('GraphDriver.Diff', {
        ID: bench.name(),
      })
      if (status === 200 || status === 404) {
        throw new Error(`A missing layer's was answered ${status}`)
      }
    },
  },
  {
    area,
    title: 'deletes what the whiteouts of a layer tar name',
    weight: 'must',
    async run(bench) {
      const parent = await base(bench)
      const child = await bench.layered(parent)
      const tar = forgeTar(
        { name: '.wh.a file' },
        { name: 'new', content: 'n' },
      )
      await bench.docker.applyDiff(child, parent, tar)
      const names = await bench.within(child, (tree) => fs.readdir(tree))
      if (names.includes('a file') || !names.includes('new')) {
        throw new Error(`It holds ${names.join(', ')}`)
      }
      const kept = await bench.within(parent, (tree) => fs.readdir(tree))
      if (!kept.includes('a file')) throw new Error('Its parent lost it')
    },
  },
  {
    area,
    title: 'writes no entry of a layer tar outside of its layer',
    weight: 'must',
    async run(bench) {
      const id = await bench.layered()
      const outside = `${bench.options.home}-outside`
      const tar = forgeTar(
        { name: 'way', type: '2', linkName: outside },
        { name: 'way/out', content: 'evil' },
        { name: `../../../../../..${outside}/up`, content: 'evil' },
      )
      await fs.mkdir(outside, { recursive: true })
      await succeeds(bench.docker.applyDiff(id, '', tar))
      const written = await fs.readdir(outside)
      await fs.rm(outside, { recursive: true })
      if (written.length === 0) return
      throw new Error(`It wrote ${written.join(', ')}`)
    },
  },
  {
    area,
    title: 'answers how many bytes a layer tar held',
    weight: 'must',
    async run(bench) {
      const id = await bench.layered()
      const tar = forgeTar({ name: 'a', content: '12345' })
      const { Size = 0 } = await bench.docker.applyDiff(id, '', tar)
      if (Size !== 5) throw new Error(`It held 5, and Size is ${String(Size)}`)
      const told = await bench.layer('DiffSize', id)
      if (told.Size !== 5) throw new Error(`DiffSize is ${String(told.Size)}`)
    },
  },
  {
    area,
    title: 'takes an upload of no bytes for an empty layer',
    weight: 'should',
    async run(bench) {
      const id = await bench.layered()
      await bench.docker.applyDiff(id, '', Buffer.alloc(0))
    },
  },
  {
    area,
    title: 'answers an upload after its last byte, and no sooner',
    weight: 'should',
    async run(bench) {
      const id = await bench.layered()
      const upload = bench.docker.upload(
        `GraphDriver.ApplyDiff?id=${id}&parent=`,
      )
      let isOver = false
      const answered = once(upload, 'response').then(([response]) => {
        if (!isOver) throw new Error('It was answered while it was sent')
        return text(response)
      })
      upload.write(forgeTar({ name: 'a', content: '12345' }))
      await Promise.race([sleep(300), answered])
      isOver = true
      upload.end(TAR_END)
      await answered
    },
  },
  {
    area,
    title: 'refuses an upload that is no tar',
    weight: 'must',
    async run(bench) {
      const id = await bench.layered()
      const garbage = Buffer.alloc(2048, 'garbage')
      if (await succeeds(bench.docker.applyDiff(id, '', garbage))) {
        throw new Error('ApplyDiff succeeded')
      }
    },
  },
  {
    area,
    title:
      'removes what is left of an upload that was cut off, and takes it again',
    weight: 'must',
    async run(bench) {
      const id = await bench.layered()
      const tar = forgeTar({ name: 'a', content: 'x'.repeat(5000) })
      const path = `GraphDriver.ApplyDiff?id=${id}&parent=`
      await bench.docker.cutUpload(path, tar.subarray(0, 2000))
      await bench.layer('Remove', id)
      await bench.layered('', id)
      await bench.docker.applyDiff(id, '', tar)
      await bench.within(id, (tree) => fs.readFile(join(tree, 'a')))
    },
  },
  {
    area,
    title:
      'claims no exact tars: Docker would throw away its own record of them',
    weight: 'should',
    async run(bench) {
      const { status, body } = await bench.post('GraphDriver.Capabilities', {})
      if (status === 404) return
      const told = JSON.parse(body)?.Capabilities?.ReproducesExactDiffs
      if (told === true) throw new Error('ReproducesExactDiffs is true')
    },
  },
]

/** A layer with every type of file, and a child with every kind of change. */
async function changed(bench: Bench): Promise<[parent: string, child: string]> {
  const parent = await base(bench)
  const child = await bench.layered(parent)
  await bench.within(child, (tree) =>
    build(
      tree,
      file('a file', 'another'),
      file('new', 'n'),
      remove('a subdir'),
    ),
  )
  return [parent, child]
}

async function changes(
  bench: Bench,
  id: string,
  parent: string,
): Promise<ReadonlyMap<string, string>> {
  const { Changes } = await bench.layer('Changes', id, { Parent: parent })
  const list: { Path: string; Kind: number }[] = JSON.parse(
    JSON.stringify(Changes ?? []),
  )
  return new Map(
    list.map(({ Path, Kind }) => [Path, KINDS[Kind] ?? `kind ${Kind}`]),
  )
}

async function diff(bench: Bench, ID: string, Parent: string): Promise<Buffer> {
  return buffer(await bench.docker.diff({ ID, Parent }))
}
