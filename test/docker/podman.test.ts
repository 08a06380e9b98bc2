import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { debianPackages } from '../support/debian-packages.ts'
import { busyboxRoot } from '../support/images.ts'
import { PrivateHost } from '../support/private-host.ts'

/** Podman and what it needs that this machine may not have. */
const PACKAGES = ['podman', 'conmon', 'libgpgme11', 'libassuan0', 'libsubid4']

describe('Podman with the plugin', function () {
  needs('root', 'docker', 'busybox')
  this.timeout(120_000)
  let host: PrivateHost
  let programs: string
  let root: string

  before(async () => {
    programs = await debianPackages('bookworm', PACKAGES)
    host = await PrivateHost.open()
    await host.startStowage()
    root = join(host.directory, 'root')
    await busyboxRoot(root)
    await fs.writeFile(join(host.directory, 'containers.conf'), settings())
  })
  after(() => host?.close())

  it('keeps volumes', async () => {
    const version = await podman('version', '--format', '{{.Client.Version}}')
    const create = ['volume', 'create', '--driver', 'stowage']
    await podman(...create, '--opt', 'mode=0750', 'vol')
    expect(await podman('volume', 'ls', '--quiet')).to.equal('vol')
    await inContainer('echo rows > /vol/file')
    expect(await inContainer('cat /vol/file; stat -c %a /vol')).to.equal(
      'rows\n750',
    )
    await podman('volume', 'rm', 'vol')
    expect(await podman('volume', 'ls', '--quiet')).to.equal('')
    console.log(`      Podman ${version}: volumes`)
  })

  /** What Podman is told of where its things are, and of the plugin. */
  function settings(): string {
    return [
      '[engine]',
      'cgroup_manager = "cgroupfs"',
      'events_logger = "file"',
      'runtime = "runc"',
      `conmon_path = ["${programs}/usr/bin/conmon"]`,
      '[engine.volume_plugins]',
      'stowage = "/run/docker/plugins/stowage.sock"',
      '',
    ].join('\n')
  }

  function inContainer(script: string): Promise<string> {
    const container = ['--volume=vol:/vol', '--rootfs', root, 'sh', '-c']
    return podman(
      'run',
      '--rm',
      '--network=none',
      '--ulimit=nofile=1024:1024',
      '--ulimit=nproc=1024:1024',
      ...container,
      script,
    )
  }

  async function podman(...args: readonly string[]): Promise<string> {
    const said = await host.inside(
      'env',
      `LD_LIBRARY_PATH=${programs}/usr/lib/x86_64-linux-gnu`,
      `CONTAINERS_CONF=${host.directory}/containers.conf`,
      join(programs, 'usr/bin/podman'),
      `--root=${host.directory}/podman`,
      `--runroot=${host.directory}/podman-run`,
      '--storage-driver=vfs',
      ...args,
    )
    return said.trim()
  }
})
