import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { parseStorageOptions } from '../../src/graph/storage-options.ts'

describe('parseStorageOptions', () => {
  it('reads what dockerd was told, in any case', () => {
    expect(
      parseStorageOptions(['Stowage.Driver=vfs', 'btrfs.min_space=20M']),
    ).to.deep.equal({ driver: 'vfs', smallestSize: 20 * 1024 * 1024 })
    expect(parseStorageOptions([])).to.deep.equal({})
  })

  for (const [options, reason] of [
    [['overlay2.size=1G'], /"overlay2.size" is unknown: known are "stowage.dr/],
    [['stowage.driver=vfs', 'STOWAGE.DRIVER=vfs'], /given twice/],
    [['stowage.driver'], /should be like "stowage.driver=overlay"/],
    [['btrfs.min_space='], /should be like "btrfs.min_space=20M"/],
    [['btrfs.min_space=much'], /"much" is not a size/],
  ] as const) {
    it(`refuses ${options.join(' ')}, and says why`, () => {
      expect(() => parseStorageOptions(options)).to.throw(
        InvalidArgumentError,
        reason,
      )
    })
  }
})
