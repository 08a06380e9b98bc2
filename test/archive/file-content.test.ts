import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { FileContent } from '../../src/archive/file-content.ts'
import { Directory } from '../../src/linux/directory.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { build, file, sparseFile } from '../../src/conformance/tree.ts'

const MIB = 1024 * 1024

describe('The content of a file', () => {
  const home = useTempDir()
  const open = new Set<FileContent>()

  afterEach(() => {
    for (const content of open) content.close()
    open.clear()
  })

  function contentOf(sparse = false): FileContent {
    const directory = Directory.open(home.path)
    const content = new FileContent(directory.openFile('file')!, { sparse })
    directory.close()
    open.add(content)
    return content
  }

  it('is all of it, holes as zeros, in pieces of any size', async () => {
    const pieces = { [MIB]: 'in the middle', [3 * MIB - 4]: 'end.' }
    await build(home.path, sparseFile('file', 3 * MIB, pieces))
    const whole = await fs.readFile(join(home.path, 'file'))
    for (const size of [1000, 4096, 300_000, 4 * MIB]) {
      expect(readAll(contentOf(), size).equals(whole)).to.equal(true)
    }
  })

  it('is only its data where holes are left out', async () => {
    const pieces = { [MIB]: 'one', [2 * MIB]: 'two' }
    await build(home.path, sparseFile('file', 3 * MIB, pieces))
    const content = contentOf(true)
    expect(content.runs).to.have.length(2)
    expect(content.length).to.be.lessThan(MIB)
    const data = readAll(content, 1000)
    expect(data).to.have.length(content.length)
    expect(data.includes('one') && data.includes('two')).to.equal(true)
  })

  it('ends where the file was shortened, and tells that it changed', async () => {
    await build(home.path, file('file', 'x'.repeat(10_000)))
    const content = contentOf()
    expect(content.hasChanged()).to.equal(false)
    await fs.truncate(join(home.path, 'file'), 5000)
    expect(readAll(content, 4000)).to.have.length(5000)
    expect(content.remaining).to.equal(5000)
    expect(content.hasChanged()).to.equal(true)
  })
})

/** All of it, read in pieces of `size`. */
function readAll(content: FileContent, size: number): Buffer {
  const pieces: Buffer[] = []
  while (content.remaining > 0) {
    const piece = Buffer.alloc(size, 'x')
    const length = content.read(piece, 0)
    if (length === 0) break
    pieces.push(piece.subarray(0, length))
  }
  return Buffer.concat(pieces)
}
