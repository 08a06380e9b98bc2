import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { copyRange, reflink, reflinkRange } from '../../src/linux/reflink.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useLoopFilesystem } from '../support/loop-filesystem.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

const BLOCK = 4096

for (const kind of ['btrfs', 'xfs'] as const) {
  describe(`reflink on ${kind}`, () => {
    const disk = useLoopFilesystem(kind)
    const home = useTempDir(() => disk.path)

    it('shares the blocks of a whole file, and parts them at the first write', async () => {
      await using files = await twoFiles(home.path, bytes(3 * BLOCK + 5))
      const before = await fs.statfs(disk.path)
      await reflink(files.source, files.target)
      await files.target.sync()
      const after = await fs.statfs(disk.path)
      expect(await fs.readFile(files.targetPath)).to.deep.equal(
        bytes(3 * BLOCK + 5),
      )
      expect(before.bfree - after.bfree).to.be.lessThan(3)
      await files.target.write('other', 0)
      expect(await fs.readFile(files.sourcePath)).to.deep.equal(
        bytes(3 * BLOCK + 5),
      )
    })

    it('shares a part, at the same place', async () => {
      await using files = await twoFiles(home.path, bytes(3 * BLOCK))
      await files.target.truncate(3 * BLOCK)
      const part = { start: BLOCK, end: 2 * BLOCK }
      await reflinkRange(files.source, files.target, part)
      const expected = Buffer.alloc(3 * BLOCK)
      bytes(3 * BLOCK).copy(expected, BLOCK, BLOCK, 2 * BLOCK)
      expect(await fs.readFile(files.targetPath)).to.deep.equal(expected)
    })
  })
}

describe('reflink elsewhere', () => {
  const disk = useLoopFilesystem('ext4', '32M')

  it('fails where the filesystem cannot share blocks', async () => {
    await using files = await twoFiles(disk.path, bytes(BLOCK))
    await expectRejection(
      reflink(files.source, files.target),
      Error,
      /ENOTSUP|ENOTTY/,
    )
  })
})

describe('copyRange', () => {
  const home = useTempDir()

  it('copies a part to the same place', async () => {
    await using files = await twoFiles(home.path, bytes(10_000))
    await copyRange(files.source, files.target, { start: 1_000, end: 9_000 })
    const expected = bytes(9_000).fill(0, 0, 1_000)
    expect(await fs.readFile(files.targetPath)).to.deep.equal(expected)
  })

  it('ends where the source ends', async () => {
    await using files = await twoFiles(home.path, bytes(100))
    await copyRange(files.source, files.target, { start: 50, end: 5_000 })
    expect((await fs.stat(files.targetPath)).size).to.equal(100)
  })
})

/** Bytes that tell where they are. */
function bytes(length: number): Buffer {
  const content = Buffer.alloc(length)
  for (let index = 0; index < length; index++) content[index] = index % 251
  return content
}

async function twoFiles(directory: string, content: Buffer) {
  const sourcePath = join(directory, 'source')
  const targetPath = join(directory, 'target')
  await fs.writeFile(sourcePath, content)
  const source = await fs.open(sourcePath, 'r')
  const target = await fs.open(targetPath, 'w')
  return {
    source,
    sourcePath,
    target,
    targetPath,
    async [Symbol.asyncDispose]() {
      await source.close()
      await target.close()
    },
  }
}
