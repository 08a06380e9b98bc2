import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect } from 'chai'
import { usageOf } from '../../src/archive/tree-usage.ts'
import { mount } from '../../src/linux/mount.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  build,
  directory,
  file,
  hardLink,
  sparseFile,
  symlink,
} from '../../src/conformance/tree.ts'

describe('usageOf', () => {
  const temp = useTempDir()

  it('counts the bytes of files and everything that is there', async () => {
    await build(
      temp.path,
      directory('dir'),
      file('dir/ten', '0123456789'),
      symlink('link', 'dir/ten'),
    )
    expect(usageOf(temp.path)).to.include({ bytes: 10, inodes: 4 })
  })

  it('counts a file with several names once', async () => {
    await build(temp.path, file('one', 'abc'), hardLink('two', 'one'))
    expect(usageOf(temp.path)).to.include({ bytes: 3, inodes: 2 })
  })

  it('tells what is allocated, which holes are not', async () => {
    await build(temp.path, sparseFile('sparse', 1 << 30), file('full', 'x'))
    const { bytes, allocated } = usageOf(temp.path)
    expect(bytes).to.equal((1 << 30) + 1)
    expect(allocated).to.be.within(1, 1 << 20)
  })

  it('is not kept from measuring by files that come and go', async () => {
    await build(temp.path, directory('busy'))
    const busy = join(temp.path, 'busy')
    const program = `for (;;) { const f = '${busy}/' + Math.random(); fs.mkdirSync(f); fs.rmdirSync(f) }`
    const writer = spawn(process.execPath, ['-e', program])
    try {
      for (let round = 0; round < 500; round++) usageOf(temp.path)
    } finally {
      writer.kill('SIGKILL')
      await once(writer, 'exit')
    }
  })
})

describe('usageOf', () => {
  needs('root')
  const temp = useTempDir()

  it('does not measure what is mounted in the tree', async () => {
    await build(
      temp.path,
      directory('outside'),
      file('outside/large', '0123456789'),
      directory('tree/bound'),
    )
    const source = join(temp.path, 'outside')
    const bound = join(temp.path, 'tree/bound')
    mount({ type: 'bind', source, options: [] }, bound)
    expect(usageOf(join(temp.path, 'tree'))).to.include({ bytes: 0, inodes: 1 })
    expect(usageOf(bound)).to.include({ bytes: 10, inodes: 2 })
  })
})
