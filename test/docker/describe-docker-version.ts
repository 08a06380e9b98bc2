import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import type { DockerRelease } from '../support/docker-release.ts'
import { importBusybox } from '../support/images.ts'
import { createPlugin } from '../support/plugin.ts'
import { PrivateHost } from '../support/private-host.ts'

const run = promisify(execFile)

/** What is built on each version, by either builder. */
const DOCKERFILE = `
FROM bb
RUN mkdir /t && echo one > /t/file && ln /t/file /t/hard
RUN rm /t/hard && echo two >> /t/file
`

/** What stands for the database of the examples. */
const WRITER = {
  image: 'bb',
  command: ['sh', '-c', 'echo rows > /var/lib/postgresql/data/file'],
}

export interface VersionOptions {
  /** None for the machine's own. */
  readonly docker?: () => Promise<DockerRelease>
  /** Whether this Docker can keep its layers in a plugin. */
  readonly layers: 'kept' | 'refused'
  readonly compose: boolean
  /** Whether it is skipped where it cannot be downloaded. */
  readonly isOptional?: boolean
}

/** The same scenario on any Docker, from `npm run plugin:create` to `plugin rm`. */
export function describeDockerVersion(
  name: string,
  { docker, layers, compose, isOptional = false }: VersionOptions,
): void {
  describe(`Docker ${name} with the plugin`, function () {
    needs('root', 'docker', 'busybox', 'overlay')
    this.timeout(180_000)
    let host: PrivateHost
    let isOpen = false
    const results: string[] = []

    before(async function () {
      let release: DockerRelease | undefined
      try {
        release = await docker?.()
      } catch (error) {
        if (!isOptional) throw error
        console.log(`      Docker ${name} is skipped: ${String(error)}`)
        this.skip()
      }
      host = await PrivateHost.open(undefined, {
        ownNetwork: true,
        ...(release !== undefined && { docker: release }),
      })
      isOpen = true
      await host.startDockerd()
      await importBusybox(host)
      await createPlugin(join(host.directory, 'docker.sock'))
    })
    after(async () => {
      if (!isOpen) return
      const version = await host.docker('version -f {{.Server.Version}}')
      console.log(`      Docker ${version}: ${results.join(', ') || 'nothing'}`)
      await host.close()
    })

    it('keeps volumes over a restart of Docker', async () => {
      await host.docker('volume create --driver stowage --opt mode=0750 vol')
      expect(await sh('echo rows > /vol/file; stat -c %a /vol')).to.equal('750')
      await restartDockerd('overlay2')
      expect(await sh('cat /vol/file')).to.equal('rows')
      const options = await host.docker('volume inspect -f {{.Options}} vol')
      expect(options).to.equal('map[mode:0750]')
      await host.docker('volume rm vol')
      expect(await host.docker('volume ls --quiet')).to.equal('')
      results.push('volumes')
    })

    it('runs the example of a Swarm stack', async () => {
      await host.docker(
        'swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377',
      )
      const example = await alsoFor('stack', {
        version: '3.8',
        services: {
          database: {
            ...WRITER,
            networks: ['host'],
            deploy: { restart_policy: { condition: 'none' } },
          },
        },
        networks: { host: { external: true, name: 'host' } },
      })
      await host.docker(`stack deploy ${example} --resolve-image never example`)
      expect(await finished('example_database')).to.equal('Complete')
      await host.docker('stack rm example')
      expect(await written('example_rows')).to.equal('rows')
      await host.docker('swarm leave --force')
      results.push('Swarm')
    })

    if (compose) {
      it('runs the example of Docker Compose', async () => {
        const example = await alsoFor('compose', {
          services: { database: { ...WRITER, network_mode: 'none' } },
        })
        const composed = `compose --project-name composed ${example}`
        await host.docker(`${composed} up`)
        expect(await written('composed_rows')).to.equal('rows')
        await host.docker(`${composed} down --volumes`)
        expect(await host.docker('volume ls --quiet')).not.to.match(/^composed/)
        results.push('Compose')
      })
    }

    if (layers === 'kept') {
      it('keeps layers, builds with both builders and has all after a restart', async () => {
        await restartDockerd('stowage')
        await importBusybox(host)
        for (const builder of ['classic', 'buildkit']) {
          await build(builder)
          const running = `run --name of-${builder} --network=none ${builder} sh -c`
          const change = 'cat /t/file; ls /t; rm /t/file; echo new > /t/new'
          expect(await host.docker(running, change)).to.equal('one\ntwo\nfile')
          const diff = await host.docker(`diff of-${builder}`)
          expect(diff.split('\n').toSorted()).to.deep.equal([
            'A /t/new',
            'C /t',
            'D /t/file',
          ])
        }
        await restartDockerd('stowage')
        await host.docker('commit of-classic committed')
        const seen = 'run --rm --network=none committed cat /t/new'
        expect(await host.docker(seen)).to.equal('new')
        await restartDockerd('overlay2')
        results.push('layers')
      })
    } else {
      it('says that it keeps no layers in plugins, and Stowage says which Docker does', async () => {
        await host.stopDockerd()
        await expectRejection(
          host.startDockerd({ storageDriver: 'stowage' }),
          Error,
          /driver not supported|support for experimental graphdriver plugins has been removed/i,
        )
        await host.startDockerd()
        const log = await host.log('dockerd')
        expect(log).to.match(/28 and later have no graph-driver plugins/)
        results.push('layers refused, as Docker has no such plugins any more')
      })
    }

    it('leaves the volumes when the plugin is removed', async () => {
      await host.docker('volume create --driver stowage last')
      await host.docker('plugin rm --force stowage')
      expect(await host.docker('plugin ls --quiet')).to.equal('')
      const kept = '/var/lib/stowage/volumes/default/volumes'
      expect(await host.inside('ls', kept)).to.match(/^last$/m)
      results.push('removal')
    })

    /** What a shell in a new container says that has the volume at /vol. */
    function sh(script: string): Promise<string> {
      const running = 'run --rm --network=none --volume vol:/vol bb sh -c'
      return host.docker(running, script)
    }

    async function restartDockerd(storageDriver: string): Promise<void> {
      await host.stopDockerd()
      await host.startDockerd({ storageDriver })
    }

    async function build(builder: string): Promise<void> {
      const context = join(host.directory, 'context')
      await fs.mkdir(context, { recursive: true })
      await fs.writeFile(join(context, 'Dockerfile'), DOCKERFILE)
      const env = {
        ...host.dockerEnv,
        DOCKER_BUILDKIT: builder === 'buildkit' ? '1' : '0',
      }
      const command = ['build', '--network=none', '--tag', builder, context]
      await run(host.dockerProgram, command, { env })
    }

    /** The arguments that name an example, with what it lacks on this host. */
    async function alsoFor(
      example: 'compose' | 'stack',
      settings: object,
    ): Promise<string> {
      const file = join(host.directory, `${example}.json`)
      await fs.writeFile(file, JSON.stringify(settings))
      const option = example === 'stack' ? '--compose-file' : '--file'
      return `${option} docs/examples/${example}.yaml ${option} ${file}`
    }

    /** What the examples' service has written into its volume. */
    function written(volume: string): Promise<string> {
      const running = `run --rm --network=none --volume ${volume}:/vol bb`
      return host.docker(`${running} cat /vol/file`)
    }

    /** How the only task of a service has ended. */
    async function finished(service: string): Promise<string> {
      const asked = `service ps --format {{.CurrentState}} ${service}`
      for (;;) {
        const [state = ''] = (await host.docker(asked)).split(' ')
        if (/Complete|Failed|Rejected|Shutdown/.test(state)) return state
        await sleep(200)
      }
    }
  })
}
