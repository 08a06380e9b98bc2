import { join } from 'node:path'
import { expect } from 'chai'
import * as fc from 'fast-check'
import { SILENT } from '../../src/base/log.ts'
import { graphRoutes } from '../../src/protocol/graph-routes.ts'
import { volumeRoutes } from '../../src/protocol/volume-routes.ts'
import { VolumeLookupCache } from '../../src/volume/volume-lookup-cache.ts'
import { parseStoreSpecs, storeSource } from '../../src/volume/volume-stores.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { FakeDriver } from '../support/fake-driver.ts'
import { useServedPlugin } from '../support/serve.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

/** How many bodies are tried: some by default, many in a campaign. */
const BODIES = Number(process.env.STOWAGE_BODIES ?? 300)

const METHODS = [
  ...[
    'Create',
    'Remove',
    'Mount',
    'Unmount',
    'Path',
    'List',
    'Capabilities',
  ].map((method) => `VolumeDriver.${method}`),
  ...[
    'Init',
    'Capabilities',
    'Create',
    'CreateReadWrite',
    'Remove',
    'Get',
    'Put',
    'Exists',
    'Status',
    'GetMetadata',
    'Diff',
    'Changes',
    'DiffSize',
    'Cleanup',
  ].map((method) => `GraphDriver.${method}`),
  'Plugin.Activate',
]

/** Mostly what Docker would send, with something else here and there. */
const field = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('vol1', 'base', 'a'.repeat(64)) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
  { weight: 1, arbitrary: fc.jsonValue() },
)
const options = fc.oneof(
  fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.jsonValue())),
  fc.jsonValue(),
)
const fields = fc.record(
  {
    Name: field,
    ID: field,
    Parent: field,
    MountLabel: field,
    Home: field,
    Opts: options,
    StorageOpt: options,
    UIDMaps: fc.jsonValue(),
  },
  { requiredKeys: [] },
)
const body = fc.oneof(
  { weight: 8, arbitrary: fields.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
)

describe('Whatever the body', () => {
  needs('root')
  let volumes: VolumeLookupCache
  afterEach(() => volumes.close())
  const root = useTempDir()
  const plugin = useServedPlugin(async () => {
    const driver = new FakeDriver()
    const dataRoot = join(root.path, 'data')
    const stores = parseStoreSpecs('default=local:').map((spec) =>
      storeSource(spec, { dataRoot, log: SILENT }),
    )
    volumes = await VolumeLookupCache.open({ dataRoot, stores, log: SILENT })
    await volumes.opened()
    return [
      {
        name: 'VolumeDriver',
        routes: volumeRoutes(volumes, { scope: 'local' }),
      },
      {
        name: 'GraphDriver',
        routes: graphRoutes({ init: async () => undefined, driver }),
      },
    ]
  })

  it(`each method says 200, 400 or 500, with JSON that Go can read, ${BODIES} times`, async function () {
    this.timeout(20_000 + BODIES * 100)
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...METHODS),
        body,
        async (method, text) => {
          const answer = await plugin.docker.post(method, text)
          expect(answer.status).to.be.oneOf([200, 400, 500])
          if (answer.headers['content-type'] === 'application/x-tar') return
          const { Err: message } = JSON.parse(answer.body)
          if (answer.status === 200) expect(message).to.equal(undefined)
          else expect(message).to.be.a('string').not.empty
        },
      ),
      { numRuns: BODIES },
    )
  })

  it(`a Get is answered with a volume, with none, or not at all, ${BODIES} times`, async function () {
    this.timeout(20_000 + BODIES * 100)
    await fc.assert(
      fc.asyncProperty(body, async (text) => {
        const asked = plugin.docker.post('VolumeDriver.Get', text)
        const answer = await asked.catch(() => undefined)
        if (answer === undefined) return
        expect(answer.status).to.equal(200)
        expect(JSON.parse(answer.body)).to.have.all.keys('Volume')
      }),
      { numRuns: BODIES },
    )
  })
})
