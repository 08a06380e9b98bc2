import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import type { Change } from '../../src/archive/changes.ts'
import { jsonAnswer } from '../../src/base/json-answer.ts'
import { wireChanges } from '../../src/protocol/wire-changes.ts'

describe('wireChanges', () => {
  it('numbers the kinds as Docker does', async () => {
    const kinds = ['modified', 'added', 'deleted'] as const
    const changes = kinds.map((kind) => ({
      path: Buffer.from(`/${kind}`),
      kind,
    }))
    expect(JSON.parse(await told(changes))).to.deep.equal({
      Changes: [
        { Path: '/modified', Kind: 0 },
        { Path: '/added', Kind: 1 },
        { Path: '/deleted', Kind: 2 },
      ],
    })
  })

  it('is an empty list for no changes', async () => {
    expect(await told([])).to.equal('{"Changes":[]}')
  })

  it('says any path in valid JSON, byte for byte where that is possible', async () => {
    const paths = ['/ü', '/"quoted"', '/new\nline', '/\\', '/\u0001']
    const { Changes } = JSON.parse(await told(paths.map(added)))
    expect(Changes.map(({ Path }: { Path: string }) => Path)).to.deep.equal(
      paths,
    )
    JSON.parse(await told([{ path: Buffer.of(0x2f, 0xff), kind: 'added' }]))
  })
})

async function told(changes: readonly Change[]): Promise<string> {
  const json = await jsonAnswer({ Changes: wireChanges(each(changes)) })
  return typeof json === 'string' ? json : text(json)
}

function added(path: string): Change {
  return { path: Buffer.from(path), kind: 'added' }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T, void> {
  yield* items
}
