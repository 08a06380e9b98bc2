import { join } from 'node:path'
import { expect } from 'chai'
import { sizeOfChanges } from '../../src/archive/changes-size.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  build,
  directory,
  fifo,
  file,
  hardLink,
  sparseFile,
  symlink,
} from '../../src/conformance/tree.ts'

describe('The size of changes', () => {
  needs('root')
  const home = useTempDir()

  it('is the bytes of files, each counted once', async () => {
    const tree = join(home.path, 'tree')
    await build(
      home.path,
      directory('tree/dir'),
      file('tree/dir/four', '1234'),
      hardLink('tree/other', 'tree/dir/four'),
      symlink('tree/link', 'seven77'),
      fifo('tree/fifo'),
      sparseFile('tree/sparse', 1000),
    )
    expect(await sizeOfChanges({ tree })).to.equal(4 + 7 + 1000)
  })

  it('has nothing of what was deleted', async () => {
    const parent = join(home.path, 'parent')
    const tree = join(home.path, 'tree')
    await build(home.path, directory('tree'), file('tree/new', 'abc'))
    await build(home.path, directory('parent'), file('parent/old', 'abcdef'))
    expect(await sizeOfChanges({ tree, parent })).to.equal(3)
  })
})
