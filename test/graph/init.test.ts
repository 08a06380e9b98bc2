import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { readInit, writeInit } from '../../src/graph/init.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

const INIT = {
  home: '/var/lib/docker/stowage',
  options: ['stowage.driver=vfs'],
  uidMaps: [{ containerId: 0, hostId: 100_000, size: 65_536 }],
  gidMaps: [],
}

describe('What Docker’s Init said', () => {
  const root = useTempDir()

  it('is nothing before the first', async () => {
    expect(await readInit(root.path)).to.equal(undefined)
  })

  it('is remembered as it was, and the last of several', async () => {
    await writeInit(root.path, { ...INIT, home: '/elsewhere' })
    await writeInit(root.path, INIT)
    expect(await readInit(root.path)).to.deep.equal(INIT)
  })

  for (const damage of [
    '',
    '{}',
    JSON.stringify({ ...INIT, home: 7 }),
    JSON.stringify({ ...INIT, options: [1] }),
    JSON.stringify({ ...INIT, uidMaps: [{ containerId: 'x' }] }),
  ]) {
    it(`is not guessed from ${damage === '' ? 'an empty file' : damage}`, async () => {
      await fs.writeFile(join(root.path, 'graph.json'), damage)
      await expectRejection(
        readInit(root.path),
        Error,
        /graph\.json" is damaged/,
      )
    })
  }
})
