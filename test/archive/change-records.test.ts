import { expect } from 'chai'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import {
  ChangeReader,
  ChangeRecords,
} from '../../src/archive/change-records.ts'
import { openWalk } from '../../src/archive/tree-source.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('Change records', () => {
  const home = useTempDir()

  it('come through pieces of any size, and names through any bytes', async () => {
    const names = [Buffer.from('plain'), Buffer.from('\xff\n', 'latin1')]
    for (const name of names) {
      await fs.writeFile(
        Buffer.concat([Buffer.from(`${home.path}/`), name]),
        '',
      )
    }
    await fs.mkdir(join(home.path, 'd'.repeat(200)))
    for (const size of [1, 2, 7, 64, 4096]) {
      using opened = openWalk({ tree: home.path })
      const records = new ChangeRecords(opened.walk)
      const reader = new ChangeReader()
      const found: string[] = []
      const piece = Buffer.alloc(size)
      for (;;) {
        const length = records.fill(piece)
        if (length === 0) break
        for (const { path, kind } of reader.read(piece.subarray(0, length))) {
          found.push(`${kind} ${path.toString('latin1')}`)
        }
      }
      expect(found).to.deep.equal([
        `added /${'d'.repeat(200)}`,
        'added /plain',
        'added /\xff\n',
      ])
    }
  })
})
