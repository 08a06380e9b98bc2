import { expect } from 'chai'
import { linkOf } from '../../../src/graph/overlay/links.ts'

describe('linkOf', () => {
  it('follows from the id, is short, and counts from Home', () => {
    const id = 'f'.repeat(64)
    expect(linkOf(id)).to.match(/^l\/[0-9a-f]{16}$/)
    expect(linkOf(id)).to.equal(linkOf(id))
  })

  it('differs for ids that differ', () => {
    const ids = Array.from({ length: 1000 }, (_, index) => `layer-${index}`)
    expect(new Set(ids.map(linkOf))).to.have.length(1000)
  })
})
