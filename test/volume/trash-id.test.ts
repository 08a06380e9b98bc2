import { expect } from 'chai'
import { NotFoundError } from '../../src/base/errors.ts'
import { nextTrashId, removedAt } from '../../src/volume/trash-id.ts'

describe('The id of a removed volume', () => {
  it('says when it was removed', () => {
    const when = new Date('2031-02-03T04:05:06.789Z')
    expect(removedAt(nextTrashId(when))).to.equal(when.toISOString())
  })

  it('is another each time, in the order of removal', () => {
    const now = new Date()
    const ids = Array.from({ length: 1000 }, () => nextTrashId(now))
    expect(new Set(ids)).to.have.property('size', 1000)
    expect(ids).to.deep.equal(ids.toSorted())
  })

  it('is no path', () => {
    for (const text of ['', '.', '..', `${nextTrashId()}/..`, 'a\0']) {
      expect(() => removedAt(text)).to.throw(NotFoundError)
    }
  })
})
