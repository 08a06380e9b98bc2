import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { jsonAnswer } from '../../src/base/json-answer.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { busy, countTurns } from '../support/turns.ts'

const MANY = 10_000

describe('jsonAnswer', () => {
  it('is what JSON.stringify says, whatever the value', async () => {
    const values = [
      {},
      [],
      { a: [], b: undefined, c: null, d: 'ü"\n' },
      { list: [1, [2], { three: undefined }], after: { of: ['any'] } },
      [{ name: 'one' }, { name: 'two' }],
      { first: [], second: many(MANY), third: 'end' },
      many(MANY),
    ]
    for (const value of values) {
      expect(await told(value)).to.equal(JSON.stringify(value))
    }
  })

  it('takes whatever is iterated for a list', async () => {
    expect(await told({ sync: counted(2), async: eventually(2) })).to.equal(
      '{"sync":[0,1],"async":[0,1]}',
    )
    expect(await told(counted(0))).to.equal('[]')
  })

  it('is in one piece when it is short', async () => {
    expect(await jsonAnswer({ list: [1, 2] })).to.equal('{"list":[1,2]}')
  })

  it('begins before the last item is known', async () => {
    const stream = await streamed(eventually(Infinity))
    stream.destroy()
    await once(stream, 'close')
  })

  it('lets others have their turns while it is made', async () => {
    const { turns, result } = await countTurns(() => told(slowly(5)))
    expect(result).to.equal('[0,1,2,3,4]')
    expect(turns).to.be.above(1)
  })

  it('fails at once where there is no slice yet', async () => {
    const list = failingAfter([1])
    await expectRejection(
      (async () => jsonAnswer({ list }))(),
      TypeError,
      /cannot go on/,
    )
  })

  it('breaks off where it fails later', async () => {
    const stream = await streamed({ list: failingAfter(many(MANY)) })
    await expectRejection(text(stream), TypeError, /cannot go on/)
  })

  it('ends the iteration when nobody reads', async () => {
    let ended = false
    const endless = async function* (): AsyncGenerator<object> {
      try {
        for (;;) yield* many(MANY)
      } finally {
        ended = true
      }
    }
    const stream = await streamed(endless())
    stream.destroy()
    await once(stream, 'close')
    expect(ended).to.equal(true)
  })
})

function many(amount: number): readonly object[] {
  return Array.from({ length: amount }, (_, nth) => ({ name: `name ${nth}` }))
}

function* counted(amount: number): Generator<number, void> {
  for (let nth = 0; nth < amount; nth++) yield nth
}

async function* eventually(amount: number): AsyncGenerator<number, void> {
  yield* counted(amount)
}

function* slowly(amount: number): Generator<number, void> {
  for (const nth of counted(amount)) {
    busy()
    yield nth
  }
}

async function* failingAfter(items: readonly unknown[]): AsyncGenerator {
  yield* items
  throw new TypeError('It cannot go on')
}

async function told(value: object): Promise<string> {
  const json = await jsonAnswer(value)
  return typeof json === 'string' ? json : text(json)
}

async function streamed(value: object): Promise<Readable> {
  const json = await jsonAnswer(value)
  if (typeof json === 'string') throw new Error('It is in one piece')
  return json
}
