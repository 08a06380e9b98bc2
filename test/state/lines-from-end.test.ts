import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { linesFromEnd } from '../../src/state/lines-from-end.ts'

describe('linesFromEnd', () => {
  const home = useTempDir()

  async function read(text: string): Promise<string[]> {
    const path = join(home.path, 'file')
    await fs.writeFile(path, text)
    const lines: string[] = []
    for await (const line of linesFromEnd(path)) lines.push(line)
    return lines
  }

  it('reads the last first, ended or not', async () => {
    expect(await read('')).to.deep.equal([])
    expect(await read('a\nb\n')).to.deep.equal(['b', 'a'])
    expect(await read('a\nb')).to.deep.equal(['b', 'a'])
  })

  it('reads lines of any length, wherever they lie', async () => {
    for (const length of [7, 1000, 65_535, 65_536, 200_000]) {
      const lines = Array.from({ length: 9 }, (_, at) =>
        `${at}`.padEnd(length, 'ü'),
      )
      const got = await read(lines.map((line) => `${line}\n`).join(''))
      expect(got).to.deep.equal(lines.toReversed())
    }
  })

  it('reads no more of the file than is asked for', async () => {
    await read('x\n'.repeat(100_000))
    const lines = linesFromEnd(join(home.path, 'file'))
    expect((await lines.next()).value).to.equal('x')
    await fs.truncate(join(home.path, 'file'))
    expect((await lines.next()).value).to.equal('x')
    await lines.return(undefined)
  })
})
