import { expect } from 'chai'
import { label } from '../../src/volume/label.ts'

describe('label', () => {
  for (const [id, expected] of [
    ['test', '098f6bcd4621d373'],
    ['mysql_data', 'f60e4c47c6b9f204'],
    ['volName', 'd383760f725cfa7c'],
    ['testVolume', '20d3f179a7769b9c'],
    ['default', 'c21f969b5f03d33d'],
    ['ID-1', '81f337438082634c'],
    ['nfs-volume', '42a32da89d5f484e'],
    ['', 'd41d8cd98f00b204'],
  ] as const) {
    it(`is ${expected} for "${id}"`, () => {
      expect(label(id)).to.equal(expected)
    })
  }
})
