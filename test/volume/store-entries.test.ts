import { expect } from 'chai'
import { SILENT } from '../../src/base/log.ts'
import { nextTurn } from '../../src/base/next-turn.ts'
import { StoreEntries } from '../../src/volume/store-entries.ts'
import { parseVolumeOptions } from '../../src/volume/volume-options.ts'
import { frozenVolume, type Volume } from '../../src/volume/volume.ts'
import { countTurns } from '../support/turns.ts'

const OPTIONS = parseVolumeOptions({})
const OWNER = { store: 'big', kind: 'memory' }

describe('StoreEntries', () => {
  it('have what the store lists, and no more what it does not', async () => {
    const known = await entries('gone', 'kept')
    await known.replaceBy(async () => ({
      volumes: [volume('kept'), volume('new')],
      problems: [{ name: 'odd', reason: 'it is damaged' }],
    }))
    expect([...known.names()]).to.have.members(['kept', 'new', 'odd'])
    expect(known.get('new')).to.deep.equal({
      name: 'new',
      ...OWNER,
      volume: volume('new'),
    })
    expect(known.get('odd')?.problem).to.equal('it is damaged')
  })

  it('know what is damaged, until it is whole again or gone', async () => {
    const known = await entries('whole')
    for (const name of ['mended', 'gone']) known.setProblem(name, 'it is cut')
    expect(known.damaged()).to.deep.equal(['mended', 'gone'])
    known.set(volume('mended'))
    known.delete('gone')
    expect(known.damaged()).to.deep.equal([])
  })

  it('keep what came, and miss what went, while the store was listed', async () => {
    const known = await entries('old')
    const outdated = { volumes: [volume('removed')], problems: [] }
    await known.replaceBy(async () => {
      known.set(volume('created'))
      known.set(volume('removed'))
      known.delete('removed')
      return outdated
    })
    expect([...known.names()]).to.deep.equal(['created'])
  })

  it('keep apart two lists that are made at a time', async () => {
    const known = await entries()
    const first = known.replaceBy(async () => {
      await nextTurn()
      await nextTurn()
      return { volumes: [], problems: [] }
    })
    const second = known.replaceBy(async () => ({ volumes: [], problems: [] }))
    known.set(volume('created'))
    await second
    await first
    expect([...known.names()]).to.deep.equal(['created'])
  })

  it('leave others their turns over thousands, with all names at any moment', async () => {
    const names = Array.from({ length: 100_000 }, (_, nth) => `volume-${nth}`)
    const known = await entries(...names.slice(0, 1000))
    const [volumes, problems] = [names.map(volume), []]
    let missing = 0
    const { turns } = await countTurns(
      () => known.replaceBy(async () => ({ volumes, problems })),
      () => {
        if (known.get('volume-999') === undefined) missing += 1
      },
    )
    expect(turns).to.be.above(1)
    expect(missing).to.equal(0)
    expect(known.size).to.equal(names.length)
  })
})

async function entries(...names: string[]): Promise<StoreEntries> {
  const known = new StoreEntries(OWNER, SILENT)
  await known.expect(names)
  return known
}

function volume(name: string): Volume {
  return frozenVolume({
    name,
    store: 'big',
    createdAt: '2024-01-01T00:00:00.000Z',
    options: OPTIONS,
    mountpoint: `/volumes/${name}`,
  })
}
