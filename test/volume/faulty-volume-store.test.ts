import { randomInt } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import * as fc from 'fast-check'
import { SILENT } from '../../src/base/log.ts'
import { LocalKeeping } from '../../src/volume/local/local-keeping.ts'
import { VolumeLookupCache } from '../../src/volume/volume-lookup-cache.ts'
import { describeVolumeStorer } from '../../src/conformance/describe-volume-storer.ts'
import {
  FaultyVolumeStore,
  type StoreCall,
} from '../support/faulty-volume-store.ts'
import {
  type Memory,
  MemoryVolumeStore,
} from '../support/memory-volume-store.ts'
import { storeKeptBy } from '../support/open-store.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

const openLocal = storeKeptBy(async () => new LocalKeeping())

describeVolumeStorer(
  'local, sometimes slow,',
  async (directory) => {
    const store = new FaultyVolumeStore(await openLocal(directory))
    store.before = async () => {
      await sleep(randomInt(4))
    }
    store.after = store.before
    return store
  },
  { on: ['root'] },
)

/** One step: what is asked of the catalogue, and where on the way that fails. */
interface Step {
  readonly call: 'create' | 'mount' | 'unmount' | 'remove' | 'reopen'
  readonly name: string
  readonly fault: 'none' | 'before' | 'after'
}

const steps = fc.array(
  fc.record<Step>({
    call: fc.constantFrom('create', 'mount', 'unmount', 'remove', 'reopen'),
    name: fc.constantFrom('a', 'b'),
    fault: fc.constantFrom('none', 'none', 'before', 'after'),
  }),
  { minLength: 5, maxLength: 25 },
)

describe('VolumeLookupCache over a store where any call may fail', function () {
  this.timeout(60_000)
  const root = useTempDir()

  it('knows all volumes that it acknowledged, and none that is gone', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const directory = await fs.mkdtemp(join(root.path, 'run-'))
        await new Run(directory).play(sequence)
      }),
      { numRuns: 60 },
    )
  })
})

/** A catalogue over one faulty store, and what its caller was told. */
class Run {
  readonly #directory: string
  readonly #memory: Memory = new Map()
  readonly #told = new Map<string, boolean>()
  #step: Step | undefined
  #cache: VolumeLookupCache | undefined

  constructor(directory: string) {
    this.#directory = directory
  }

  async play(sequence: readonly Step[]): Promise<void> {
    await this.#open()
    for (const step of sequence) {
      await this.#try(step)
      this.#check()
    }
    await this.#open()
    const names = this.#catalogue.list().map(({ name }) => name)
    expect(names).to.have.members([...this.#memory.keys()])
    for (const name of names) {
      await this.#catalogue.remove(name, { dropHolders: true })
    }
    expect([...this.#memory.keys()]).to.deep.equal([])
    await this.#catalogue.close()
  }

  get #catalogue(): VolumeLookupCache {
    return this.#cache!
  }

  async #open(): Promise<void> {
    await this.#cache?.close()
    const store = new FaultyVolumeStore(
      new MemoryVolumeStore('default', this.#directory, this.#memory),
    )
    store.before = (call, name) => this.#mayFail('before', call, name)
    store.after = (call, name) => this.#mayFail('after', call, name)
    this.#cache = await VolumeLookupCache.open({
      dataRoot: join(this.#directory, 'root'),
      stores: [{ name: 'default', kind: 'memory', open: async () => store }],
      log: SILENT,
    })
    await this.#cache.opened()
  }

  async #try(step: Step): Promise<void> {
    this.#step = step
    const { call, name } = step
    try {
      if (call === 'reopen') await this.#open()
      else if (call === 'create') await this.#catalogue.create(name, {})
      else if (call === 'mount') await this.#catalogue.mount(name, 'one')
      else if (call === 'unmount') await this.#catalogue.unmount(name, 'one')
      else await this.#catalogue.remove(name)
      if (call === 'create') this.#told.set(name, true)
      if (call === 'remove') this.#told.set(name, false)
    } catch {
      // Whether it was done is open until a later call succeeds.
      if (call === 'create' && !this.#told.get(name)) this.#told.delete(name)
      if (call === 'remove') this.#told.delete(name)
    } finally {
      this.#step = undefined
    }
  }

  #mayFail(when: Step['fault'], call: StoreCall, name: string): void {
    if (this.#step?.fault !== when) return
    if (this.#step.call === call && this.#step.name === name) {
      throw new Error(`${call} fails ${when} it is done`)
    }
  }

  #check(): void {
    const listed = this.#catalogue.list().map(({ name }) => name)
    for (const [name, exists] of this.#told) {
      expect(listed.includes(name), name).to.equal(exists)
      expect(this.#memory.has(name), name).to.equal(exists)
    }
  }
}
