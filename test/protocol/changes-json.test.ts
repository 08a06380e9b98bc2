import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import type { Change } from '../../src/archive/changes.ts'
import { changesJson } from '../../src/protocol/changes-json.ts'

describe('changesJson', () => {
  it('numbers the kinds as Docker does', async () => {
    const kinds = ['modified', 'added', 'deleted'] as const
    const json = await text(
      changesJson(
        each(kinds.map((kind) => ({ path: Buffer.from(`/${kind}`), kind }))),
      ),
    )
    expect(JSON.parse(json)).to.deep.equal({
      Changes: [
        { Path: '/modified', Kind: 0 },
        { Path: '/added', Kind: 1 },
        { Path: '/deleted', Kind: 2 },
      ],
    })
  })

  it('is an empty list for no changes', async () => {
    expect(await text(changesJson(each([])))).to.equal('{"Changes":[]}')
  })

  it('says any path in valid JSON, byte for byte where that is possible', async () => {
    const paths = ['/ü', '/"quoted"', '/new\nline', '/\\', '/\u0001']
    const changes = paths.map(added)
    const json = await text(changesJson(each(changes)))
    const told = JSON.parse(json).Changes.map(
      ({ Path }: { Path: string }) => Path,
    )
    expect(told).to.deep.equal(paths)

    const invalid: Change = { path: Buffer.of(0x2f, 0xff), kind: 'added' }
    JSON.parse(await text(changesJson(each([invalid]))))
  })

  it('begins to tell before the last change is known', async () => {
    let found = 0
    async function* endless(): AsyncGenerator<Change, void> {
      for (;;) yield added(`/${found++}`)
    }
    const chunks = changesJson(endless())
    await chunks.next()
    expect(found).to.be.below(10_000)
    await chunks.return()
  })
})

function added(path: string): Change {
  return { path: Buffer.from(path), kind: 'added' }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T, void> {
  yield* items
}
