import { expect } from 'chai'
import { AlreadyExistsError } from '../../src/base/errors.ts'
import type { Exporter } from '../../src/storage/exporter.ts'
import type { Importer } from '../../src/storage/importer.ts'
import { StoreRegistry } from '../../src/storage/store-registry.ts'

describe('StoreRegistry', () => {
  let registry: StoreRegistry

  beforeEach(() => {
    registry = new StoreRegistry()
  })

  it('finds what is registered, by its key', () => {
    const volumes = transfer()
    registry.registerImporter('volumes', volumes)
    registry.registerExporter('volumes', volumes)
    expect(registry.getImporter('volumes')).to.equal(volumes)
    expect(registry.getExporter('volumes')).to.equal(volumes)
    expect(registry.getImporter('images/main')).to.equal(undefined)
    expect(registry.getExporter('images/main')).to.equal(undefined)
  })

  it('lists keys sorted, importers and exporters apart', () => {
    for (const key of ['volumes', 'images/b', 'images/a']) {
      registry.registerImporter(key, transfer())
    }
    registry.registerExporter('layers', transfer())
    expect(registry.getImporters()).to.deep.equal([
      'images/a',
      'images/b',
      'volumes',
    ])
    expect(registry.getExporters()).to.deep.equal(['layers'])
  })

  it('refuses a second one for a key', () => {
    registry.registerImporter('volumes', transfer())
    registry.registerExporter('volumes', transfer())
    expect(() => registry.registerImporter('volumes', transfer())).to.throw(
      AlreadyExistsError,
      '"volumes" has an importer already',
    )
    expect(() => registry.registerExporter('volumes', transfer())).to.throw(
      AlreadyExistsError,
      '"volumes" has an exporter already',
    )
  })

  it('forgets what is disposed of, and not its successor', () => {
    const registration = registry.registerImporter('volumes', transfer())
    registration[Symbol.dispose]()
    expect(registry.getImporter('volumes')).to.equal(undefined)

    const successor = transfer()
    registry.registerImporter('volumes', successor)
    registration[Symbol.dispose]()
    expect(registry.getImporter('volumes')).to.equal(successor)
  })

  it('loses nothing when many register and look up at once', async () => {
    const rounds = Array.from({ length: 8 }, (_, worker) => worker)
    await Promise.all(
      rounds.map(async (worker) => {
        for (let round = 0; round < 200; round++) {
          const entry = transfer()
          registry.registerExporter(`${worker}/${round}`, entry)
          await new Promise(setImmediate)
          expect(registry.getExporter(`${worker}/${round}`)).to.equal(entry)
        }
      }),
    )
    expect(registry.getExporters()).to.have.lengthOf(1600)
  })
})

function transfer(): Importer & Exporter {
  return {
    import: refuse,
    openSink: refuse,
    export: refuse,
    openSource: refuse,
  }
}

async function refuse(): Promise<never> {
  throw new Error('not asked for')
}
