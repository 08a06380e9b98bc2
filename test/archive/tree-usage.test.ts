import { expect } from 'chai'
import { usageOf } from '../../src/archive/tree-usage.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  build,
  directory,
  file,
  hardLink,
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
    expect(usageOf(temp.path)).to.deep.equal({ bytes: 10, inodes: 4 })
  })

  it('counts a file with several names once', async () => {
    await build(temp.path, file('one', 'abc'), hardLink('two', 'one'))
    expect(usageOf(temp.path)).to.deep.equal({ bytes: 3, inodes: 2 })
  })
})
