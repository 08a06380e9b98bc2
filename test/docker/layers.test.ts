import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { debianRoot } from '../support/debian-root.ts'
import { loopFilesystem } from '../support/loop-filesystem.ts'
import { PrivateHost } from '../support/private-host.ts'
import { describeDockerOn } from './describe-docker-on.ts'

describeDockerOn('vfs', { filesystem: 'xfs', on: ['xfs', 'loop'] })
describeDockerOn('overlay', { filesystem: 'ext4', on: ['overlay', 'loop'] })
describeDockerOn('btrfs', { filesystem: 'btrfs', on: ['btrfs', 'loop'] })

describe('A container with a size on btrfs', function () {
  needs('root', 'docker', 'debootstrap', 'btrfs', 'loop')
  this.timeout(120_000)

  it('adds that much to its image and no more, and leaves others alone', async () => {
    const disk = await loopFilesystem('btrfs', '4G')
    const host = await PrivateHost.open(disk.path)
    try {
      await host.startStowage()
      await host.startDockerd({ storageDriver: 'stowage' })
      await host.docker('import', await debianRoot(), 'debian')
      const limited =
        'run --rm --network=none --storage-opt size=20M debian sh -c'
      expect(await host.docker(limited, fill(10))).to.match(/^10485760$/m)
      expect(await host.docker(limited, fill(40))).to.match(/quota exceeded/i)
      const free = 'run --rm --network=none debian sh -c'
      expect(await host.docker(free, fill(40))).to.match(/^41943040$/m)
    } finally {
      await host.close()
      await disk.close()
    }
  })
})

/** Writes so many MiB, and says what came of it and how much is there. */
function fill(mebibytes: number): string {
  return `dd if=/dev/urandom of=/fill bs=1M count=${mebibytes} conv=fsync 2>&1; stat -c %s /fill`
}
