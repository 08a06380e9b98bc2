import { join } from 'node:path'
import { expect } from 'chai'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import { SILENT } from '../../src/base/log.ts'
import { parseStoreSpecs, storeSource } from '../../src/volume/volume-stores.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('parseStoreSpecs', () => {
  it('reads one store, its path left to us', () => {
    expect(parseStoreSpecs('default=local:')).to.deep.equal([
      { name: 'default', kind: 'local', path: '', parameters: {} },
    ])
  })

  it('reads several with blanks of any kind between them', () => {
    const specs = parseStoreSpecs(
      ' default=local: big=local:/mnt/big\n\tdb=loop:/mnt/x=1:y?capacity=10GiB&filesystem=xfs ',
    )
    expect(
      specs.map(({ name, kind, path }) => [name, kind, path]),
    ).to.deep.equal([
      ['default', 'local', ''],
      ['big', 'local', '/mnt/big'],
      ['db', 'loop', '/mnt/x=1:y'],
    ])
    expect(specs[2]?.parameters).to.deep.equal({
      capacity: 10 * 2 ** 30,
      filesystem: 'xfs',
    })
  })

  it('reads them from JSON too, for paths with blanks', () => {
    const json = '{ "default": "local:", "big": "local:/mnt/my disk" }'
    expect(
      parseStoreSpecs(json).map(({ name, path }) => [name, path]),
    ).to.deep.equal([
      ['default', ''],
      ['big', '/mnt/my disk'],
    ])
  })

  const REFUSED: readonly [text: string, message: RegExp][] = [
    ['', /At least one/],
    ['  ', /At least one/],
    ['{}', /At least one/],
    ['default', /"default": write it as NAME=KIND:PATH/],
    ['default=', /NAME=KIND:PATH/],
    ['=local:', /NAME=KIND:PATH/],
    ['default=local', /NAME=KIND:PATH/],
    ['a/b=local:', /its name may have/],
    ['.a=local:', /its name may have/],
    [`${'n'.repeat(65)}=local:`, /its name may have up to 64/],
    ['a=zfs:', /its kind is "zfs", and the kinds are local, btrfs/],
    ['a=constructor:', /its kind is "constructor"/],
    ['a=local:relative', /its path must be absolute/],
    ['a=local:/x?colour=red', /a local store has no parameter "colour"/],
    ['a=loop:/x?capacity=many', /capacity|Capacity/],
    ['a=local: a=local:/x', /"a" is listed twice/],
    ['{ "a": ', /not JSON/],
    ['{ "a": 7 }', /"a=7": write it as/],
  ]
  for (const [text, message] of REFUSED) {
    it(`refuses ${JSON.stringify(text.slice(0, 30))}`, () => {
      expect(() => parseStoreSpecs(text)).to.throw(
        InvalidArgumentError,
        message,
      )
    })
  }
})

describe('storeSource', () => {
  const root = useTempDir()

  it('opens a store under the data root, or where its path says', async () => {
    const path = join(root.path, 'elsewhere')
    for (const [text, directory] of [
      ['default=local:', join(root.path, 'volumes', 'default')],
      [`big=local:${path}`, path],
    ] as const) {
      const [spec] = parseStoreSpecs(text)
      const source = storeSource(spec!, { dataRoot: root.path, log: SILENT })
      const store = await source.open({ isKnown: false })
      expect(store).to.include({ name: spec!.name, kind: 'local' })
      const { volumes } = await store.list()
      expect(volumes).to.deep.equal([])
      await store.close()
      expect(source.name).to.equal(spec!.name)
      const again = storeSource(
        { ...spec!, path: directory },
        { dataRoot: '/nowhere', log: SILENT },
      )
      await (await again.open({ isKnown: true })).close()
    }
  })
})
