import { expect } from 'chai'
import { array, assert, integer, property, record, string } from 'fast-check'
import { type Column, table } from '../../src/cli/table.ts'

interface Row {
  readonly name: string
  readonly size: string
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAME', cell: ({ name }) => name, isFlexible: true },
  { title: 'SIZE', cell: ({ size }) => size, align: 'right' },
]

describe('A table', () => {
  it('is as wide as it needs', () => {
    const rows = [
      { name: 'db', size: '10 GiB' },
      { name: 'web', size: '-' },
    ]
    expect(table(COLUMNS, rows, 80)).to.equal(
      ['NAME    SIZE', 'db    10 GiB', 'web        -', ''].join('\n'),
    )
  })

  it('has its titles alone where there is nothing', () => {
    expect(table(COLUMNS, [], 80)).to.equal('NAME  SIZE\n')
  })

  it('cuts what does not fit, and marks that', () => {
    const rows = [{ name: 'a'.repeat(100), size: '1 B' }]
    const [, line] = table(COLUMNS, rows, 30).split('\n')
    expect(line).to.equal(`${'a'.repeat(23)}…   1 B`)
  })

  it('is never wider than the terminal, and never cuts for a program', () => {
    const anyRow = record({
      name: string({ maxLength: 300 }),
      size: string({ maxLength: 20 }),
    })
    assert(
      property(array(anyRow), integer({ min: 40, max: 200 }), (rows, width) => {
        for (const line of table(COLUMNS, rows, width).split('\n')) {
          expect(line.length).to.be.at.most(width)
        }
        expect(table(COLUMNS, rows)).to.not.include('…'.repeat(2))
      }),
    )
  })

  it('lets no name tear it or move the cursor', () => {
    const rows = [{ name: 'a\nb\u001B[2J', size: '' }]
    expect(table(COLUMNS, rows)).to.equal('NAME     SIZE\na?b?[2J\n')
  })
})
