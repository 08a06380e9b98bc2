import { expect } from 'chai'
import { assert, integer, property, uniqueArray } from 'fast-check'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import {
  parseRetention,
  sortByRetention,
} from '../../src/operations/retention.ts'
import type { Snapshot } from '../../src/volume/snapshot.ts'

const HOUR = 3_600_000
const NOW = Date.parse('2026-03-01T12:00:00Z')

function aged(...hours: readonly number[]): readonly Snapshot[] {
  return hours.map((age) => ({
    name: `${age}h`,
    createdAt: new Date(NOW - age * HOUR).toISOString(),
  }))
}

function kept(text: string, snapshots: readonly Snapshot[]): readonly string[] {
  const { keep } = sortByRetention(snapshots, parseRetention(text), NOW)
  return keep.map(({ name }) => name)
}

describe('Retention', () => {
  it('keeps all of the first span, and none older than the last', () => {
    expect(kept('4h', aged(1, 2, 3, 5, 9))).to.deep.equal(['3h', '2h', '1h'])
  })

  it('keeps one for each first span of the second', () => {
    const hours = Array.from({ length: 30 }, (_, age) => age)
    expect(kept('4h:1d', aged(...hours))).to.deep.equal([
      '24h',
      '20h',
      '16h',
      '12h',
      '8h',
      '4h',
      '3h',
      '2h',
      '1h',
      '0h',
    ])
  })

  it('keeps the newest however old it is', () => {
    expect(kept('4h', aged(100, 200))).to.deep.equal(['100h'])
  })

  it('deletes nothing more when it is asked again', () => {
    const ages = uniqueArray(integer({ min: 0, max: 500 }))
    assert(
      property(ages, (hours) => {
        const terms = parseRetention('4h:1d:2w')
        const once = sortByRetention(aged(...hours), terms, NOW)
        const twice = sortByRetention(once.keep, terms, NOW)
        expect(twice.delete).to.deep.equal([])
        expect(once.keep.length + once.delete.length).to.equal(hours.length)
      }),
    )
  })

  it('is refused with what would be right', () => {
    for (const text of ['', '4', '4x', '1d:4h', '4h:4h', '0h', '4h::1d']) {
      expect(() => parseRetention(text), text).to.throw(
        InvalidArgumentError,
        /such as 4h:1d:2w/,
      )
    }
  })
})
