import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { dindRoot } from '../support/dind-root.ts'
import { busyboxRoot } from '../support/images.ts'
import { createPlugin } from '../support/plugin.ts'
import { DOCKER, PrivateHost } from '../support/private-host.ts'

const run = promisify(execFile)

/** All of --privileged that a Docker needs, where a machine lacks the rest. */
const CAPABILITIES =
  'AUDIT_CONTROL AUDIT_READ AUDIT_WRITE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK KILL LEASE LINUX_IMMUTABLE MKNOD NET_ADMIN NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_ADMIN SYS_CHROOT SYS_PTRACE SYS_NICE SYS_MODULE SYSLOG'

/** Runs dockerd again whenever it ends, on the storage driver that a file names. */
const INNER = `
mount -o remount,rw /proc/sys
mount -o remount,rw /sys
while true; do
  rm -f /var/run/docker.pid /run/docker/containerd/containerd.pid
  dockerd --experimental --bridge=none --iptables=false --ip6tables=false \\
    --host=unix:///inner/docker.sock --storage-driver="$(cat /inner/driver)" >>/inner/log 2>&1
done
`

describe('A Docker in a container', function () {
  needs('root', 'docker', 'busybox', 'overlay')
  this.timeout(180_000)
  let host: PrivateHost
  let shared: string

  before(async () => {
    host = await PrivateHost.open()
    shared = join(host.directory, 'inner')
    await fs.mkdir(shared)
    await host.startDockerd()
    await imported('dind', dindRoot, host.dockerEnv)
    await fs.writeFile(join(shared, 'driver'), 'overlay2')
    const capabilities = CAPABILITIES.split(' ').map(
      (name) => `--cap-add=${name}`,
    )
    const unconfined = ['seccomp', 'apparmor', 'systempaths'].map(
      (name) => `--security-opt=${name}=unconfined`,
    )
    await host.docker(
      'run --detach --name dind --network=host --volume=/sys/fs/cgroup:/sys/fs/cgroup --volume=/var/lib/docker',
      `--volume=${shared}:/inner`,
      ...capabilities,
      ...unconfined,
      '--device-cgroup-rule=a *:* rwm',
      'dind',
      'sh',
      '-c',
      INNER,
    )
    await answering('overlay2')
  })
  after(async () => {
    await host?.close()
  })

  it('takes the plugin, and has volumes on it', async () => {
    await createPlugin(join(shared, 'docker.sock'))
    await imported('bb', busyboxRoot, innerEnv())
    await inner('volume create --driver stowage --opt mode=0750 vol')
    expect(await onVolume('echo rows > /vol/file; stat -c %a /vol')).to.equal(
      '750',
    )
  })

  it('builds and runs on the graph driver', async () => {
    await restart('stowage')
    await imported('bb', busyboxRoot, innerEnv())
    const context = join(shared, 'context')
    await fs.mkdir(context)
    await fs.writeFile(
      join(context, 'Dockerfile'),
      'FROM bb\nRUN mkdir /t && echo one > /t/file\nRUN echo two >> /t/file\n',
    )
    await inner('build --network=none --tag built', context)
    expect(await onImage('cat /t/file')).to.equal('one\ntwo')
    expect(await onVolume('cat /vol/file')).to.equal('rows')
  })

  it('has its volumes and layers after a restart', async () => {
    await restart('stowage')
    expect(await onImage('cat /t/file')).to.equal('one\ntwo')
    expect(await onVolume('cat /vol/file')).to.equal('rows')
  })

  it('has them after an upgrade of the plugin', async () => {
    await restart('overlay2')
    expect(await createPlugin(join(shared, 'docker.sock'))).to.match(
      /Upgrading/,
    )
    await restart('stowage')
    expect(await onImage('cat /t/file')).to.equal('one\ntwo')
    expect(await onVolume('cat /vol/file')).to.equal('rows')
  })

  it('is rid of it all when it is removed', async () => {
    await inner('volume rm vol')
    await inner('system prune --all --force')
    await restart('overlay2')
    await inner('system prune --all --force')
    expect(await inner('volume ls --quiet')).to.equal('')
    await inner('plugin rm --force stowage')
    expect(await inner('plugin ls --quiet')).to.equal('')
    const left = await host.docker(
      'exec dind sh -c',
      'ls /var/lib/docker/plugins',
    )
    expect(left).not.to.match(/[0-9a-f]{64}/)
    console.log('      dind: volumes, layers, restart, upgrade, removal')
  })

  function innerEnv(): NodeJS.ProcessEnv {
    return { ...process.env, DOCKER_HOST: `unix://${shared}/docker.sock` }
  }

  async function inner(command: string, ...rest: string[]): Promise<string> {
    const args = [...command.split(' '), ...rest]
    const { stdout } = await run(DOCKER, args, { env: innerEnv() })
    return stdout.trim()
  }

  function onVolume(script: string): Promise<string> {
    const running = 'run --rm --network=none --volume vol:/vol bb sh -c'
    return inner(running, script)
  }

  function onImage(script: string): Promise<string> {
    return inner('run --rm --network=none built sh -c', script)
  }

  async function restart(driver: string): Promise<void> {
    await fs.writeFile(join(shared, 'driver'), driver)
    await host.docker('exec dind sh -c', 'kill $(cat /var/run/docker.pid)')
    await answering(driver)
  }

  /** Waits for the inner Docker to be there, on that storage driver. */
  async function answering(driver: string): Promise<void> {
    const deadline = Date.now() + 60_000
    for (;;) {
      const found = await inner('info -f {{.Driver}}').catch(() => '')
      if (found.split(':')[0] === driver) return
      if (Date.now() > deadline) {
        const log = await fs.readFile(join(shared, 'log'), 'utf8')
        expect.fail(
          `The inner Docker is not on ${driver}:\n${log.slice(-3000)}`,
        )
      }
      await sleep(100)
    }
  }

  /** Imports what `make` puts into a folder as the image `name`. */
  async function imported(
    name: string,
    make: (root: string) => Promise<void>,
    env: NodeJS.ProcessEnv,
  ): Promise<void> {
    const root = await fs.mkdtemp(join(host.directory, 'root-'))
    await make(root)
    const tar = `${root}.tar`
    await run('tar', ['-C', root, '--numeric-owner', '-cf', tar, '.'])
    await run(DOCKER, ['import', tar, name], { env })
    await fs.rm(root, { recursive: true })
    await fs.rm(tar)
  }
})
