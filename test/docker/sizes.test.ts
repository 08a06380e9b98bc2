import { expect } from 'chai'
import { debianRoot } from '../support/debian-root.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { importBusybox } from '../support/images.ts'
import {
  type LoopFilesystem,
  loopFilesystem,
} from '../support/loop-filesystem.ts'
import { PrivateHost } from '../support/private-host.ts'

describe('A real dockerd whose disk is btrfs', function () {
  needs('root', 'docker', 'busybox', 'debootstrap', 'btrfs', 'loop', 'ext4')
  this.timeout(180_000)
  let disk: LoopFilesystem
  let host: PrivateHost

  before(async () => {
    disk = await loopFilesystem('btrfs', '8G')
    host = await PrivateHost.open(disk.path)
    await startStowage()
    await host.startDockerd({ storageDriver: 'stowage' })
    await importBusybox(host)
    await host.docker('import', await debianRoot(), 'debian')
  })
  after(async () => {
    await host?.close()
    await disk?.close()
  })

  it('gives a container as much room as it asked for, on top of its image', async () => {
    const run = 'run --rm --network=none'
    const fits = await host.docker(
      `${run} --storage-opt size=20M debian sh -c`,
      fill('/file', 18),
    )
    expect(fits).to.equal('written')
    await expectRejection(
      host.docker(
        `${run} --storage-opt size=20M debian sh -c`,
        fill('/file', 22),
      ),
      Error,
      /Disk quota exceeded/,
    )
    const free = await host.docker(`${run} debian sh -c`, fill('/file', 60))
    expect(free).to.equal('written')
  })

  it('refuses a size that is none, in words that help', async () => {
    await expectRejection(
      host.docker('create --storage-opt size=1k --network=none bb true'),
      Error,
      /Size "1k" is too small: the least is 1048576 bytes/,
    )
  })

  for (const [store, reason] of [
    ['btrfs', /[Qq]uota exceeded/],
    ['loop', /No space left on device/],
    ['memory', /No space left on device/],
  ] as const) {
    it(`keeps a volume of the ${store} store within its capacity`, async () => {
      const create = 'volume create --driver stowage --opt'
      await host.docker(
        `${create} store=${store} --opt capacity=16MiB ${store}`,
      )
      const run = `run --rm --network=none --volume ${store}:/vol bb sh -c`
      expect(await host.docker(run, 'ls -A /vol; echo done')).to.equal('done')
      await expectRejection(
        host.docker(run, fill('/vol/much', 20)),
        Error,
        reason,
      )
      const kept = 'rm /vol/much && echo rows > /vol/file && cat /vol/file'
      expect(await host.docker(run, kept)).to.equal('rows')
      await host.stopStowage('SIGKILL')
      await startStowage()
      expect(await host.docker(run, 'cat /vol/file')).to.equal('rows')
      await host.docker(`volume rm ${store}`)
    })
  }

  for (const store of ['btrfs', 'loop']) {
    it(`begins a volume of the ${store} store as a clone, beside its running source`, async () => {
      const create = 'volume create --driver stowage --opt'
      await host.docker(`${create} store=${store} --opt capacity=300MiB source`)
      await host.docker(
        'run --detach --network=none --name writer --volume source:/vol bb sh -c',
        'echo rows > /vol/file; sleep 1000',
      )
      await host.docker(
        'exec writer sh -c',
        'until test -s /vol/file; do :; done',
      )
      await host.docker(`${create} store=${store} --opt from=source clone`)
      await host.docker('exec writer sh -c', 'echo changed > /vol/file')
      const seen = await host.docker(
        'run --rm --network=none --volume clone:/vol bb cat /vol/file',
      )
      expect(seen).to.equal('rows')
      await host.docker('rm --force writer')
      await host.docker('volume rm source clone')
    })
  }

  function startStowage(): Promise<void> {
    return host.startStowage({
      STOWAGE_STORES:
        'default=local: btrfs=btrfs: loop=loop:?capacity=300MiB memory=tmpfs:',
    })
  }
})

/** A shell command that writes so many MiB of something that is not zeros. */
function fill(path: string, mib: number): string {
  return `dd if=/dev/urandom of=${path} bs=1M count=${mib} && sync ${path} && echo written`
}
