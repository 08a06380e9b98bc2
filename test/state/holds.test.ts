import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { Holds } from '../../src/state/holds.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('Holds', () => {
  const home = useTempDir()
  const path = () => join(home.path, 'holds')

  it('counts a holder as often as it holds', async () => {
    const holds = await Holds.open(path())
    expect(await holds.add('vol', 'id1')).to.equal(1)
    expect(await holds.add('vol', 'id1')).to.equal(2)
    expect(await holds.add('vol', 'id2')).to.equal(3)
    expect(await holds.drop('vol', 'id1')).to.equal(2)
    expect([...holds.holders('vol')]).to.deep.equal([
      ['id1', 1],
      ['id2', 1],
    ])
    await holds.close()
  })

  it('lets a holder that holds nothing take nothing back', async () => {
    const holds = await Holds.open(path())
    await holds.add('vol', 'id1')
    expect(await holds.drop('vol', 'stranger')).to.equal(1)
    expect(await holds.drop('absent', 'id1')).to.equal(0)
    await holds.close()
  })

  it('knows after a restart what was held before it', async () => {
    const before = await Holds.open(path())
    await before.add('a', 'id1')
    await before.add('a', 'id1')
    await before.add('b', 'id2')
    await before.drop('a', 'id1')
    await before.add('c', 'id3')
    await before.clear('c')
    // Not closed, as after a kill.
    const after = await Holds.open(path())
    expect(after.keys()).to.deep.equal(['a', 'b'])
    expect(after.count('a')).to.equal(1)
    await Promise.all([before.close(), after.close()])
  })

  it('ignores a last line that was cut short', async () => {
    const before = await Holds.open(path())
    await before.add('a', 'id1')
    await before.close()
    await fs.appendFile(path(), '- a id1')
    const after = await Holds.open(path())
    expect(after.count('a')).to.equal(1)
    await after.close()
  })

  it('forgets what was held under another boot', async () => {
    await fs.writeFile(path(), 'another-boot\n+ a id1\n')
    const holds = await Holds.open(path())
    expect(holds.keys()).to.deep.equal([])
    await holds.close()
  })

  it('keeps its journal small however much comes and goes', async () => {
    const holds = await Holds.open(path())
    await holds.add('kept', 'id')
    for (let round = 0; round < 6000; round++) {
      await holds.add('vol', 'id')
      await holds.drop('vol', 'id')
    }
    await holds.close()
    expect((await fs.stat(path())).size).to.be.lessThan(50_000)
    const after = await Holds.open(path())
    expect(after.keys()).to.deep.equal(['kept'])
    await after.close()
  })

  it('takes no room to be opened again, for the disk may be full', async () => {
    const before = await Holds.open(path())
    await before.add('a', 'id1')
    await before.close()
    const { ino } = await fs.stat(path())
    const after = await Holds.open(path())
    expect((await fs.stat(path())).ino).to.equal(ino)
    await after.close()
  })

  it('goes on after a line that was cut short with a line of its own', async () => {
    const before = await Holds.open(path())
    await before.add('a', 'id1')
    await before.close()
    await fs.appendFile(path(), '+ a id')
    const between = await Holds.open(path())
    await between.add('b', 'id2')
    await between.close()
    const after = await Holds.open(path())
    expect(after.keys()).to.deep.equal(['a', 'b'])
    expect(after.count('a')).to.equal(1)
    await after.close()
  })
})
