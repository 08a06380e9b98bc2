import { expect } from 'chai'
import {
  formatBytes,
  formatSeconds,
  formatTime,
} from '../../src/cli/amounts.ts'

describe('Amounts for people', () => {
  it('are in the unit that leaves few digits', () => {
    const texts = [0, 1, 1023, 1024, 10_240, 102_400, 1_048_575, 3 * 1024 ** 4]
    expect(texts.map(formatBytes)).to.deep.equal([
      '0 B',
      '1 B',
      '1023 B',
      '1.0 KiB',
      '10.0 KiB',
      '100 KiB',
      '1.0 MiB',
      '3.0 TiB',
    ])
  })

  it('are on a clock where they are seconds', () => {
    const texts = [0, 59.4, 61, 3600, 3723]
    expect(texts.map(formatSeconds)).to.deep.equal([
      '0:00',
      '0:59',
      '1:01',
      '1:00:00',
      '1:02:03',
    ])
  })

  it('are local where they are times', () => {
    const local = new Date(2026, 10, 21, 9, 5)
    expect(formatTime(local.toISOString())).to.equal('2026-11-21 09:05')
  })
})
