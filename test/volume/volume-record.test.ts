import { expect } from 'chai'
import * as fc from 'fast-check'
import { parseVolumeOptions } from '../../src/volume/volume-options.ts'
import {
  DamagedRecordError,
  formatRecord,
  parseRecord,
} from '../../src/volume/volume-record.ts'

describe('parseRecord', () => {
  const record = {
    name: 'db',
    createdAt: '2024-05-01T12:34:56.789Z',
    options: parseVolumeOptions({ Mode: '0750', 'label.team': 'blue' }),
  }

  it('reads back what was written', () => {
    expect(parseRecord(formatRecord(record), 'db')).to.deep.equal(record)
  })

  it('knows a volume’s capacity, or takes what was asked for', () => {
    const { options: _options, ...rest } = record
    const options = parseVolumeOptions({ capacity: '10MB' })
    const asked = formatRecord({ ...rest, options })
    expect(parseRecord(asked, 'db').capacity).to.equal(10_000_000)
    const resized = formatRecord({ ...rest, options, capacity: 5 })
    expect(parseRecord(resized, 'db').capacity).to.equal(5)
  })

  it('is right under both names while a volume is being renamed', () => {
    const text = formatRecord({ ...record, name: 'base', alias: 'db' })
    expect(parseRecord(text, 'db')).to.deep.equal({ ...record, alias: 'base' })
    expect(parseRecord(text, 'base')).to.deep.equal({ ...record, name: 'base' })
    expect(() => parseRecord(text, 'other')).to.throw(/"name" in its record/)
  })

  it('calls any other text damaged, and nothing worse', () => {
    const text = formatRecord(record)
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.nat(text.length - 3).map((length) => text.slice(0, length)),
        ),
        (other) => {
          expect(() => parseRecord(other, 'db')).to.throw(DamagedRecordError)
        },
      ),
    )
  })

  it('says which field is wrong', () => {
    const fields = JSON.parse(formatRecord(record))
    const wrong = {
      format: '1',
      name: 'other',
      createdAt: 'yesterday',
      options: { mode: 750 },
    }
    for (const [field, value] of Object.entries(wrong)) {
      const text = JSON.stringify({ ...fields, [field]: value })
      expect(() => parseRecord(text, 'db')).to.throw(`"${field}"`)
    }
  })
})
