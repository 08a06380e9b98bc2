import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import {
  configuration,
  type Settings,
} from '../../src/storage/configuration.ts'

describe('configuration', () => {
  it('fills in what is not given', () => {
    const { dataRoot, imageStores, maxLayerDepth } = configuration({
      dataRoot: '/data',
    })
    expect(dataRoot).to.equal('/data')
    expect(imageStores).to.deep.equal([])
    expect(maxLayerDepth).to.equal(125)
  })

  it('cannot be changed afterwards, and does not follow what it was made of', () => {
    const names = ['main']
    const made = configuration({ dataRoot: '/data', imageStores: names })
    names.push('other')
    expect(made.imageStores).to.deep.equal(['main'])
    expect(made).to.be.frozen
    expect(made.imageStores).to.be.frozen
  })

  const wrong: ReadonlyArray<[Partial<Settings>, RegExp]> = [
    [{ dataRoot: 'data' }, /dataRoot must be an absolute path$/],
    [{ imageStores: ['a/b'] }, /imageStores must be a list of different names/],
    [{ imageStores: ['a', 'a'] }, /imageStores must be a list of different/],
    [{ imageQuota: -1 }, /imageQuota must be a number of bytes$/],
    [{ maxLayerDepth: 1.5 }, /maxLayerDepth must be a number of layers$/],
    [{ closeWithin: Number.NaN }, /closeWithin must be a number of millisec/],
  ]
  for (const [settings, message] of wrong) {
    it(`names the field that is wrong in ${JSON.stringify(settings)}`, () => {
      expect(() => configuration({ dataRoot: '/data', ...settings })).to.throw(
        InvalidArgumentError,
        message,
      )
    })
  }
})
