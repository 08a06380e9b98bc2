import * as fs from 'node:fs/promises'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { expect } from 'chai'
import { CopyDriver } from '../../../examples/copy-driver/copy-driver.ts'
import { PlainStore } from '../../../examples/plain-store/plain-store.ts'
import { SILENT } from '../../../src/base/log.ts'
import { needs } from '../../../src/conformance/capabilities.ts'
import { expectRejection } from '../../../src/conformance/expect-rejection.ts'
import { useTempDir } from '../../../src/conformance/temp-dir.ts'
import type { Outcome } from '../../../src/conformance/wire/check.ts'
import { examine } from '../../../src/conformance/wire/examine.ts'
import { type Plugin, serve, type ServeOptions } from '../../../src/serve.ts'
import { LAYER_FAULTS } from './layer-mutants.ts'
import { serveMutant } from './mutant-proxy.ts'
import { type PlantedFault, VOLUME_FAULTS } from './volume-mutants.ts'

const idle = 200

type Served = Pick<ServeOptions, 'volumes' | 'graph'>

const layers = (): Served => ({
  graph: (directory, circumstances) => new CopyDriver(directory, circumstances),
})

describe('The examination of a plugin', () => {
  needs('root')
  let plugin: Plugin | undefined
  let mutant: Server | undefined

  afterEach(async () => {
    mutant?.close()
    mutant?.closeAllConnections()
    await plugin?.stop()
    plugin = mutant = undefined
  })
  const temp = useTempDir(() => '/dev/shm')
  const at = (name: string): string => join(temp.path, name)

  const volumes = (): Served => ({ volumes: new PlainStore(at('store')) })

  async function start(served: Served): Promise<string> {
    await fs.mkdir(at('store'), { recursive: true })
    const socket = at('plugin.sock')
    plugin = await serve({
      name: 'example',
      dataRoot: at('root'),
      socket,
      log: SILENT,
      signals: [],
      ...served,
    })
    return socket
  }

  for (const [what, served] of Object.entries({ volumes, layers })) {
    it(`finds no fault in an example that serves ${what}`, async function () {
      this.timeout(60_000)
      const socket = await start(served())
      const restart = async (): Promise<void> => {
        await plugin?.stop()
        await start(served())
      }
      const outcomes = await examine(socket, {
        idle,
        restart,
        home: at('home'),
      })
      expect(brokenIn(outcomes)).to.deep.equal([])
      expect(outcomes.some(({ result }) => result === 'skipped')).to.equal(
        false,
      )
    })
  }

  it('leaves nothing of its own behind', async () => {
    const socket = await start(volumes())
    await examine(socket, { idle })
    for (const folder of ['records', 'volumes']) {
      expect(await fs.readdir(at(`store/${folder}`))).to.deep.equal([])
    }
  })

  it('leaves out what needs a restart, and says so, if it was not told how', async () => {
    const socket = await start(volumes())
    const skipped = (await examine(socket, { idle, only: 'restart' })).filter(
      ({ result }) => result === 'skipped',
    )
    expect(skipped).to.have.length(3)
    expect(skipped[0]?.reason).to.match(/restart .* was not told/)
  })

  it('finds that volumes and holders were forgotten over a restart', async () => {
    const socket = await start(volumes())
    const restart = async (): Promise<void> => {
      await plugin?.stop()
      await fs.rm(at('store'), { recursive: true })
      await fs.rm(at('root'), { recursive: true })
      await start(volumes())
    }
    const found = brokenIn(await examine(socket, { restart, only: 'restart' }))
    expect(found).to.include.members([
      'has its volumes after a restart, as they were, without being activated',
      'remembers over a restart who holds a volume',
    ])
  })

  it('says when nobody answers', async () => {
    await expectRejection(examine(at('nobody.sock')), Error, /ENOENT/)
  })

  it('is told of forty-six faults that it must find', () => {
    const planted = [VOLUME_FAULTS, LAYER_FAULTS].flatMap(Object.keys)
    expect(planted).to.have.length(46)
  })

  const faults: readonly [() => Served, Record<string, PlantedFault>][] = [
    [volumes, VOLUME_FAULTS],
    [layers, LAYER_FAULTS],
  ]
  for (const [served, planted] of faults) {
    for (const [fault, { finds, plant }] of Object.entries(planted)) {
      it(`finds ${fault}`, async function () {
        this.timeout(60_000)
        const socket = await start(served())
        mutant = await serveMutant(plant(), socket, at('mutant.sock'))
        const found = await examine(at('mutant.sock'), {
          idle,
          home: at('home'),
          only: finds,
        })
        expect(brokenIn(found)).to.deep.equal([finds])
      })
    }
  }
})

function brokenIn(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes
    .filter(({ result }) => result === 'broken')
    .map(({ title }) => title)
}
