import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { copyData, shareBlocks } from '../../src/linux/file-copy.ts'
import { useLoopFilesystem } from '../support/loop-filesystem.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { build, file, sparseFile } from '../../src/conformance/tree.ts'

/** Opens `from` and a new `to`, does `task`, and answers what is in `to`. */
async function through<T>(
  directory: string,
  task: (source: fs.FileHandle, target: fs.FileHandle) => Promise<T>,
): Promise<{ result: T; content: Buffer; blocks: number }> {
  const source = await fs.open(join(directory, 'from'), 'r')
  const target = await fs.open(join(directory, 'to'), 'wx')
  const result = await task(source, target)
  await target.sync()
  await source.close()
  await target.close()
  const { blocks } = await fs.stat(join(directory, 'to'))
  return { result, content: await fs.readFile(join(directory, 'to')), blocks }
}

const copy = (source: fs.FileHandle, target: fs.FileHandle) =>
  source.stat().then((status) => copyData(source.fd, target.fd, status))

describe('copyData', () => {
  const directory = useTempDir()

  it('copies every byte', async () => {
    const text = 'stowage '.repeat(100_000)
    await build(directory.path, file('from', text))
    const { content } = await through(directory.path, copy)
    expect(content.toString()).to.equal(text)
  })

  it('keeps holes, between data and at the end', async () => {
    const size = 8_000_000
    const pieces = { 0: 'start', 4_000_000: 'middle' }
    await build(directory.path, sparseFile('from', size, pieces))
    const { content, blocks } = await through(directory.path, copy)
    expect(content).to.have.length(size)
    expect(content.subarray(0, 5).toString()).to.equal('start')
    expect(content.subarray(4_000_000, 4_000_006).toString()).to.equal('middle')
    expect(blocks * 512).to.be.lessThan(100_000)
  })

  it('copies a file that is nothing but a hole', async () => {
    await build(directory.path, sparseFile('from', 1_000_000))
    const { content } = await through(directory.path, copy)
    expect(content.equals(Buffer.alloc(1_000_000))).to.equal(true)
  })
})

describe('shareBlocks', () => {
  const disk = useLoopFilesystem('btrfs')
  const shared = useTempDir(() => disk.path)
  const plain = useTempDir(() => '/dev/shm')

  it('shares where the filesystem can', async () => {
    await build(shared.path, file('from', 'x'.repeat(100_000)))
    const { result, content } = await through(
      shared.path,
      async (source, target) => shareBlocks(source.fd, target.fd),
    )
    expect(result).to.equal(true)
    expect(content).to.have.length(100_000)
  })

  it('says so where it cannot', async () => {
    await build(plain.path, file('from', 'x'))
    const { result } = await through(plain.path, async (source, target) =>
      shareBlocks(source.fd, target.fd),
    )
    expect(result).to.equal(false)
  })
})
