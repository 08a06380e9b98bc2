import { expect } from 'chai'
import { refuseHiddenStores } from '../../plugin/hidden-stores.ts'
import { InvalidArgumentError } from '../../src/base/errors.ts'

const DATA_ROOT = '/mnt/stowage/data'

describe('The stores of a managed plugin', () => {
  it('are where Docker sees them', () => {
    refuseHiddenStores(undefined, DATA_ROOT)
    refuseHiddenStores(
      `default=local: db=loop:${DATA_ROOT}/db?capacity=1GiB`,
      DATA_ROOT,
    )
  })

  it('are refused elsewhere, with a way to have them', () => {
    expect(() =>
      refuseHiddenStores('default=local: db=loop:/srv/db', DATA_ROOT),
    ).to.throw(
      InvalidArgumentError,
      /"\/srv\/db".*mount its disk at \/var\/lib\/stowage\/volumes\/db/,
    )
  })
})
