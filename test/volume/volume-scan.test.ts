import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { namesOfVolumes, scanVolumes } from '../../src/volume/volume-scan.ts'

describe('scanVolumes', () => {
  const temp = useTempDir()

  it('finds each record, each snapshot, and what has no record', async () => {
    const snapshot = join(temp.path, 'db/snapshots/monday')
    await fs.mkdir(snapshot, { recursive: true })
    await fs.writeFile(join(temp.path, 'db/volume.json'), 'text')
    await fs.utimes(snapshot, 1, 1_500_000_000)
    await fs.mkdir(join(temp.path, 'odd/volume.json'), { recursive: true })
    await fs.writeFile(join(temp.path, 'file'), '')
    const names = namesOfVolumes(temp.path)
    expect(scanVolumes(temp.path, names)).to.deep.equal([
      {
        name: 'db',
        text: 'text',
        snapshots: [{ name: 'monday', createdAt: '2017-07-14T02:40:00.000Z' }],
      },
      { name: 'file', snapshots: [] },
      { name: 'odd', snapshots: [] },
    ])
  })
})
