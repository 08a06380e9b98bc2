import { readFile } from 'node:fs/promises'
import { expect } from 'chai'

const HEADING = '## Storage, images and archives'
const ROW = /^\| (F\d+(?:, F\d+)*) +\| (\S+) +\| (.+?) +\|$/gm

describe('The table of features in test/README.md', () => {
  it('names a test that there is for each row of storage and images', async () => {
    const rows = await readRows()
    for (const { feature, where, title } of rows) {
      const source = await readFile(fileOf(where), 'utf8')
      expect(
        source.includes(title),
        `${feature} in ${where}: ${title}`,
      ).to.equal(true)
    }
  })

  it('has each of the rows F01 to F09 and F71 to F115', async () => {
    const rows = await readRows()
    const features = rows.flatMap(({ feature }) => feature.split(', '))
    const wanted = [...numbers(1, 9), ...numbers(71, 115)]
    expect(features.toSorted()).to.deep.equal(wanted.toSorted())
  })
})

interface Row {
  readonly feature: string
  readonly where: string
  readonly title: string
}

async function readRows(): Promise<readonly Row[]> {
  const [, section = ''] = (await readFile('test/README.md', 'utf8')).split(
    HEADING,
  )
  const [table = ''] = section.split('\n## ')
  return [...table.matchAll(ROW)].map(([, feature, where, title]) => ({
    feature: feature!,
    where: where!,
    title: title!,
  }))
}

function fileOf(where: string): string {
  return where.startsWith('contracts/')
    ? `test/${where}.ts`
    : `test/${where}.test.ts`
}

function numbers(from: number, to: number): readonly string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => {
    return `F${String(from + index).padStart(2, '0')}`
  })
}
