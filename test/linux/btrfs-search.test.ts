import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { OWN_TREE, searchTree, U64_MAX } from '../../src/linux/btrfs-search.ts'
import { openDirectory } from '../../src/linux/btrfs.ts'
import { useLoopFilesystem } from '../support/loop-filesystem.ts'

const INODE_REF = 12

describe('searchTree', () => {
  const disk = useLoopFilesystem('btrfs')

  it('finds the items of a tree in the order of their keys', async () => {
    const path = join(disk.path, 'a-file-with-a-name')
    await fs.writeFile(path, '')
    const { ino } = await fs.lstat(path, { bigint: true })
    await using directory = await openDirectory(disk.path)
    const names: string[] = []
    for (const item of searchTree(directory.fd, {
      tree: OWN_TREE,
      from: { objectId: ino, type: INODE_REF, offset: 0n },
      to: { objectId: ino, type: INODE_REF, offset: U64_MAX },
    })) {
      expect(item).to.include({ objectId: ino, type: INODE_REF, offset: 256n })
      // struct btrfs_inode_ref: u64 index, u16 length, the name.
      names.push(item.data.toString('utf8', 10))
    }
    expect(names).to.deep.equal(['a-file-with-a-name'])
  })
})
