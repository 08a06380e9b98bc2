import { expect } from 'chai'
import { type Capability, needs } from '../../src/conformance/capabilities.ts'
import { loadDeepImage, MOST_LAYERS } from '../support/deep-image.ts'
import {
  type FilesystemKind,
  type LoopFilesystem,
  loopFilesystem,
} from '../support/loop-filesystem.ts'
import { PrivateHost } from '../support/private-host.ts'
import { type Builder, LayerScenario } from './layer-scenario.ts'

/** What every container on the scenario's image says first. */
const SEEN = `three
four
one
b
4755 0 regular file
755 0 directory
644 0 fifo
/t:
absolute
context
dir
fifo
hard
ping
soft
suid

/t/context:
c

/t/soft:
inside
/t/ping cap_net_raw=ep
/usr/bin/ping cap_net_raw=ep`

/** What BuildKit calls a layer; Docker's own names are 64 hexadecimal digits. */
const BUILDKIT_ID = /^[a-z0-9]{25}$/

export interface DockerOn {
  /** The filesystem under dockerd's data root. */
  readonly filesystem: FilesystemKind
  readonly on: readonly Capability[]
}

/** A real dockerd with its images and containers on the graph driver `name`. */
export function describeDockerOn(
  name: string,
  { filesystem, on }: DockerOn,
): void {
  describe(`A real dockerd on ${name} over ${filesystem}`, function () {
    needs('root', 'docker', 'busybox', 'debootstrap', ...on)
    this.timeout(300_000)
    let disk: LoopFilesystem
    let host: PrivateHost
    let scenario: LayerScenario

    before(async () => {
      disk = await loopFilesystem(filesystem, '12G')
      host = await PrivateHost.open(disk.path)
      scenario = new LayerScenario(host)
      await startStowage()
      await startDockerd()
      await scenario.importBases()
    })
    after(async () => {
      await host?.close()
      await disk?.close()
    })

    it('tells in docker info where its layers are', async () => {
      const info = await host.docker('info')
      expect(info).to.match(/Storage Driver: stowage/)
      expect(info).to.match(new RegExp(`Layer Driver: ${name}`))
      expect(info).to.match(/Backing Filesystem: /)
    })

    const digests: Partial<Record<Builder, string>> = {}
    for (const builder of ['classic', 'buildkit'] as const) {
      it(`builds an image with the ${builder} builder that is what was asked for`, async () => {
        const seen = (await scenario.build(builder, builder)).split('\n')
        expect(seen.slice(0, -1).join('\n')).to.equal(SEEN)
        digests[builder] = seen.at(-1) ?? ''
      })

      it(`runs, diffs, copies, exports and commits on what ${builder} built`, async () => {
        await scenario.useContainer(builder)
      })

      it(`saves and loads what ${builder} built with equal digests`, async () => {
        await scenario.saveAndLoad(builder)
        expect((await scenario.probe(builder)).split('\n').at(-1)).to.equal(
          digests[builder],
        )
      })
    }

    it('gives the same content whichever builder built it', () => {
      expect(digests.classic).to.match(/^[0-9a-f]{32}/)
      expect(digests.classic).to.equal(digests.buildkit)
    })

    it('has the layers that Docker itself makes of the saved image', async () => {
      await scenario.loadsInto('classic', async () => {
        await host.stopDockerd()
        await host.startDockerd({ storageDriver: 'overlay2' })
      })
      await host.stopDockerd()
      await startDockerd()
    })

    it(`runs an image of ${MOST_LAYERS} layers`, async () => {
      await loadDeepImage(host)
      const count = 'cat /deep/top; ls /deep | grep -c .'
      const seen = await host.docker(
        'run --rm --network=none deep sh -c',
        count,
      )
      expect(seen).to.equal(`${MOST_LAYERS - 1}\n${MOST_LAYERS}`)
      await host.docker('rmi deep')
    })

    it('runs and removes 32 containers at once', async () => {
      const runs = Array.from({ length: 32 }, (_, number) =>
        host.docker(`run --rm --network=none bb echo ${number}`),
      )
      const said = (await Promise.all(runs)).map(Number)
      expect(said).to.deep.equal(said.map((_, number) => number))
      expect(await host.docker('ps --all --quiet')).to.equal('')
    })

    it('keeps a container running while either program is restarted', async () => {
      await host.stopDockerd()
      await startDockerd('--live-restore')
      await host.docker(
        'run --detach --network=none --name alive bb sleep 1000',
      )
      await host.docker('exec alive touch /before')
      await host.stopStowage('SIGKILL')
      await startStowage()
      await host.stopDockerd()
      await startDockerd('--live-restore')
      await host.docker('exec alive touch /after')
      expect(await host.docker('diff alive')).to.match(/A \/before/)
      const seen = await host.docker('exec alive ls /before /after')
      expect(seen).to.equal('/after\n/before')
      await host.docker('rm --force alive')
      await host.stopDockerd()
      await startDockerd()
    })

    it('runs all images after both programs were killed at once', async () => {
      await host.docker('run --detach --network=none --name dead bb sleep 1000')
      const pid = await host.docker('inspect -f {{.State.Pid}} dead')
      await Promise.all([
        host.stopDockerd('SIGKILL'),
        host.stopStowage('SIGKILL'),
      ])
      process.kill(Number(pid), 'SIGKILL')
      await startStowage()
      await startDockerd()
      expect((await scenario.probe('classic')).split('\n').at(-1)).to.equal(
        digests.classic,
      )
      await host.docker('start dead')
      await host.docker('rm --force dead')
    })

    it('leaves no layer and no mount behind once all is pruned', async () => {
      await scenario.removeAll()
      expect(await host.docker('images --all --quiet')).to.equal('')
      await host.stopDockerd()
      // BuildKit forgets layers of its own that an image has twice: Docker names
      // them no more, and never asks for their removal.
      const forgotten = await scenario.forgottenLayers()
      const duplicates = forgotten.filter((id) => BUILDKIT_ID.test(id))
      console.log(`      forgotten by BuildKit: ${duplicates.join(' ') || '-'}`)
      expect(forgotten).to.deep.equal(duplicates)
      expect(await host.mountsBelow(`${host.directory}/docker`)).to.deep.equal(
        [],
      )
      await startDockerd()
    })

    it('serves a daemon whose containers live in a user namespace', async () => {
      await host.stopDockerd()
      await startDockerd('--userns-remap=nobody:nogroup')
      await scenario.importBases()
      const seen = (await scenario.build('classic', 'mapped')).split('\n')
      expect(seen).to.include.members(['three', 'four', 'one', 'b'])
      await scenario.saveAndLoad('mapped')
      await scenario.removeAll()
      await host.stopDockerd()
      await startDockerd()
    })

    function startStowage(): Promise<void> {
      return host.startStowage({ STOWAGE_GRAPH_DRIVER: name })
    }

    function startDockerd(...args: string[]): Promise<void> {
      return host.startDockerd({ storageDriver: 'stowage', args })
    }
  })
}
