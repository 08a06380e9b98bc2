import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { parseVolumeOptions } from '../../src/volume/volume-options.ts'
import { rebuildRecord } from '../../src/volume/rebuild-record.ts'
import { formatRecord } from '../../src/volume/volume-record.ts'

describe('rebuildRecord', () => {
  const home = useTempDir()
  const good = recordOf('db')

  /** Whether a volume is given its record back, and what that is then. */
  const rebuilt = async (record: string | undefined, copy?: string) => {
    const directory = join(home.path, 'db')
    await fs.mkdir(directory)
    const path = join(directory, 'volume.json')
    if (record !== undefined) await fs.writeFile(path, record)
    if (copy !== undefined) await fs.writeFile(`${path}.copy`, copy)
    const isRebuilt = await rebuildRecord(directory, home.path)
    const names = await fs.readdir(directory)
    const text = names.includes('volume.json')
      ? await fs.readFile(path, 'utf8')
      : undefined
    return { isRebuilt, text }
  }

  for (const [what, record] of [
    ['cut', good.slice(0, 20)],
    ['empty', ''],
    ['full of zeros', '\0'.repeat(good.length)],
    ['missing', undefined],
  ] as const) {
    it(`writes one anew that is ${what}`, async () => {
      const { isRebuilt, text } = await rebuilt(record, good)
      expect(isRebuilt).to.equal(true)
      expect(text).to.equal(good)
    })
  }

  it('leaves one alone that says something, be it wrong', async () => {
    const newer = good.replace('"format": 1', '"format": 9')
    expect(await rebuilt(newer, good)).to.deep.equal({
      isRebuilt: false,
      text: newer,
    })
  })

  for (const [what, copy] of [
    ['there is none', undefined],
    ['it is cut too', good.slice(0, 30)],
    ['it is of another volume', recordOf('other')],
  ] as const) {
    it(`does nothing by the copy where ${what}`, async () => {
      const { isRebuilt, text } = await rebuilt('', copy)
      expect(isRebuilt).to.equal(false)
      expect(text).to.equal('')
    })
  }
})

function recordOf(name: string): string {
  return formatRecord({
    name,
    createdAt: '2026-01-01T00:00:00.000Z',
    options: parseVolumeOptions({ 'label.of': name }),
  })
}
