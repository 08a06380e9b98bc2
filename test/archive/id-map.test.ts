import { expect } from 'chai'
import { toContainer, toHost } from '../../src/archive/id-map.ts'
import { InvalidArgumentError } from '../../src/base/errors.ts'

const MAP = [
  { containerId: 0, hostId: 100_000, size: 1000 },
  { containerId: 5000, hostId: 300_000, size: 1 },
]

describe('A map of ids', () => {
  it('maps nothing when it has no ranges', () => {
    expect(toHost(7, [])).to.equal(7)
    expect(toContainer(7, [])).to.equal(7)
  })

  for (const [inside, outside] of [
    [0, 100_000],
    [999, 100_999],
    [5000, 300_000],
  ] as const) {
    it(`maps ${inside} to ${outside}, and back`, () => {
      expect(toHost(inside, MAP)).to.equal(outside)
      expect(toContainer(outside, MAP)).to.equal(inside)
    })
  }

  for (const id of [1000, 4999, 5001]) {
    it(`refuses ${id}, which no range has`, () => {
      expect(() => toHost(id, MAP)).to.throw(InvalidArgumentError, `${id}`)
    })
  }

  for (const id of [0, 99_999, 101_000, 300_001]) {
    it(`refuses the host's ${id}, which no range has`, () => {
      expect(() => toContainer(id, MAP)).to.throw(InvalidArgumentError, `${id}`)
    })
  }
})
