import { expect } from 'chai'
import { InvalidArgumentError } from '../../../src/base/errors.ts'
import {
  readLayerSize,
  SMALLEST_SIZE,
} from '../../../src/graph/btrfs/layer-size.ts'

const MIB = 1024 * 1024

describe('The size of a layer', () => {
  it('is absent unless it is given, whatever its letters’ case', () => {
    expect(readLayerSize({}, SMALLEST_SIZE)).to.equal(undefined)
    expect(readLayerSize({ Size: '20M' }, SMALLEST_SIZE)).to.equal(20 * MIB)
  })

  it('is refused below the least, which is named', () => {
    expect(() => readLayerSize({ size: '64k' }, SMALLEST_SIZE))
      .to.throw(InvalidArgumentError)
      .with.property(
        'message',
        'Size "64k" is too small: the least is 1048576 bytes',
      )
  })

  it('is the only option', () => {
    expect(() => readLayerSize({ speed: '1' }, SMALLEST_SIZE)).to.throw(
      InvalidArgumentError,
      '"speed" is unknown',
    )
  })
})
