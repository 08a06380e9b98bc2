import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  discardSubvolume,
  enableQuota,
  isQuotaEnabled,
  limitSubvolume,
  subvolumeLimits,
  subvolumeUsage,
} from '../../src/linux/btrfs-quota.ts'
import {
  createSubvolume,
  filesystemId,
  snapshotSubvolume,
  subvolumeId,
  syncFilesystem,
} from '../../src/linux/btrfs.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { useLoopFilesystem } from '../support/loop-filesystem.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

const MB = 1_000_000

/** Node has no name for EDQUOT. */
const EDQUOT = /-122/

describe('btrfs quotas', () => {
  const disk = useLoopFilesystem('btrfs')
  const home = useTempDir(() => disk.path)
  const at = (...names: string[]) => join(home.path, ...names)

  it('are off until they are enabled, which may be done again', async () => {
    expect(await isQuotaEnabled(disk.path)).to.equal(false)
    await enableQuota(disk.path)
    await enableQuota(disk.path)
    expect(await isQuotaEnabled(disk.path)).to.equal(true)
  })

  it('tell what a subvolume holds, and what it holds alone', async () => {
    await createSubvolume(at('one'))
    await fs.writeFile(at('one', 'file'), Buffer.alloc(5 * MB, 1))
    await snapshotSubvolume(at('one'), at('two'))
    await fs.writeFile(at('two', 'file-2'), Buffer.alloc(MB, 1))
    await syncFilesystem(disk.path)
    const two = await subvolumeUsage(at('two'))
    expect(two.referenced).to.be.within(6 * MB, 6.2 * MB)
    expect(two.exclusive).to.be.within(MB, 1.2 * MB)
  })

  it('keep a limit until it is lifted', async () => {
    await createSubvolume(at('one'))
    expect(await subvolumeLimits(at('one'))).to.deep.equal({})
    await limitSubvolume(at('one'), { referenced: 9 * MB })
    expect(await subvolumeLimits(at('one'))).to.deep.equal({
      referenced: 9 * MB,
    })
    await limitSubvolume(at('one'), { exclusive: 8 * MB })
    expect(await subvolumeLimits(at('one'))).to.deep.equal({
      exclusive: 8 * MB,
    })
    await limitSubvolume(at('one'), {})
    expect(await subvolumeLimits(at('one'))).to.deep.equal({})
  })

  it('let a snapshot add as much as is allowed, and no more', async () => {
    await createSubvolume(at('base'))
    await fs.writeFile(at('base', 'file'), Buffer.alloc(30 * MB, 1))
    await snapshotSubvolume(at('base'), at('child'))
    await limitSubvolume(at('child'), { exclusive: 10 * MB })
    await fs.writeFile(at('child', 'new'), Buffer.alloc(8 * MB, 1))
    await expectRejection(
      fs.writeFile(at('child', 'more'), Buffer.alloc(8 * MB, 1)),
      Error,
      EDQUOT,
    )
    await fs.writeFile(at('base', 'more'), Buffer.alloc(8 * MB, 1))
  })

  it('let a volume hold as much as is allowed, and no more', async () => {
    await createSubvolume(at('volume'))
    await limitSubvolume(at('volume'), { referenced: 10 * MB })
    await fs.writeFile(at('volume', 'file'), Buffer.alloc(8 * MB, 1))
    await expectRejection(
      fs.writeFile(at('volume', 'more'), Buffer.alloc(8 * MB, 1)),
      Error,
      EDQUOT,
    )
  })

  it('forget a subvolume that is discarded, and do not mind if there is none', async () => {
    await createSubvolume(at('one'))
    await createSubvolume(at('one', 'nested'))
    const id = await subvolumeId(at('one'))
    await discardSubvolume(at('one'))
    await discardSubvolume(at('one'))
    expect(await fs.readdir(home.path)).to.deep.equal([])
    const groups = `/sys/fs/btrfs/${await filesystemId(disk.path)}/qgroups`
    for (
      let names: readonly string[] = [`0_${id}`];
      names.includes(`0_${id}`);
    ) {
      await syncFilesystem(disk.path)
      names = await fs.readdir(groups)
    }
  })
})
