import { expect } from 'chai'
import { inParts } from '../../src/base/in-parts.ts'

describe('inParts', () => {
  it('gives everything once, in its order, some at a time', () => {
    const items = Array.from({ length: 1201 }, (_, nth) => nth)
    const parts = [...inParts(items)]
    expect(parts.length).to.be.above(1)
    expect(parts.flat()).to.deep.equal(items)
  })

  it('gives nothing of nothing', () => {
    expect([...inParts([])]).to.deep.equal([])
  })
})
