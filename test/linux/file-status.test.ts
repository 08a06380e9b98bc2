import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  isCharacterDevice,
  isDirectory,
  isFile,
  isSymlink,
  statusOf,
} from '../../src/linux/file-status.ts'
import { Directory } from '../../src/linux/directory.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  build,
  device,
  directory,
  file,
  sparseFile,
  symlink,
} from '../../src/conformance/tree.ts'

describe('The status of a file', () => {
  needs('root')
  const home = useTempDir()

  it('is what Node’s own stat tells, to the nanosecond', async () => {
    await build(
      home.path,
      file('file', 'four', { uid: 3_000_000_000, mode: 0o4711, mtime: -1n }),
      directory('directory', { mtime: 1_500_000_000_123_456_789n }),
      symlink('link', 'file'),
      device('device', 'character', { major: 4000, minor: 1_000_000 }),
      sparseFile('sparse', 2 ** 43),
    )
    const opened = Directory.open(home.path)
    for (const name of await fs.readdir(home.path)) {
      const ours = opened.status(name)!
      const theirs = await fs.lstat(join(home.path, name), { bigint: true })
      const modified =
        BigInt(ours.modifiedSeconds) * 1_000_000_000n +
        BigInt(ours.modifiedNanoseconds)
      const changed =
        BigInt(ours.changedSeconds) * 1_000_000_000n +
        BigInt(ours.changedNanoseconds)
      expect({
        mode: ours.mode,
        owner: [ours.uid, ours.gid],
        inode: ours.inode,
        links: ours.links,
        size: ours.size,
        blocks: ours.blocks,
        times: [modified, changed],
      }).to.deep.equal({
        mode: Number(theirs.mode),
        owner: [Number(theirs.uid), Number(theirs.gid)],
        inode: theirs.ino,
        links: Number(theirs.nlink),
        size: Number(theirs.size),
        blocks: Number(theirs.blocks),
        times: [theirs.mtimeNs, theirs.ctimeNs],
      })
      expect([
        isFile(ours),
        isDirectory(ours),
        isSymlink(ours),
        isCharacterDevice(ours),
      ]).to.deep.equal([
        theirs.isFile(),
        theirs.isDirectory(),
        theirs.isSymbolicLink(),
        theirs.isCharacterDevice(),
      ])
    }
    const number = opened.status('device')!
    expect([number.deviceMajor, number.deviceMinor]).to.deep.equal([
      4000, 1_000_000,
    ])
    expect(statusOf(opened.descriptor).inode).to.equal(
      opened.status('.')!.inode,
    )
    opened.close()
  })
})
