import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { LineFile } from '../../src/state/line-file.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('LineFile', () => {
  const home = useTempDir()
  const path = (): string => join(home.path, 'lines')
  const text = (): Promise<string> => fs.readFile(path(), 'utf8')

  it('adds lines after those that were there', async () => {
    for (const line of ['one', 'two']) {
      const file = await LineFile.open(path())
      file.append(line)
      await file.close()
    }
    expect(await text()).to.equal('one\ntwo\n')
  })

  it('takes a last line away that was cut short', async () => {
    await fs.writeFile(path(), 'one\nand a long one that was never')
    const file = await LineFile.open(path())
    file.append('two')
    await file.close()
    expect(await text()).to.equal('one\ntwo\n')
  })

  it('does not grow while there is room ahead, and goes on there when opened again', async () => {
    const first = await LineFile.open(path(), { ahead: 64 })
    first.append('one')
    expect(await text()).to.equal('one\n'.padEnd(64, '\0'))
    await first.close()
    const second = await LineFile.open(path(), { ahead: 64 })
    second.append('two')
    expect(await text()).to.equal('one\ntwo\n'.padEnd(64, '\0'))
    second.append('x'.repeat(80))
    const long = `one\ntwo\n${'x'.repeat(80)}\n`
    expect(await text()).to.equal(long.padEnd(128, '\0'))
    await second.sync()
    await second.close()
  })
})
