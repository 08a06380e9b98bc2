import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { NameJournal } from '../../src/state/name-journal.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('NameJournal', () => {
  const directory = useTempDir()
  const path = (): string => join(directory.path, 'names')
  const read = async (): Promise<readonly string[]> => {
    const journal = await NameJournal.open(path())
    return [...journal.names]
  }

  it('is new until something was noted, be it that there are no names', async () => {
    const journal = await NameJournal.open(path())
    expect(journal.isNew).to.equal(true)
    expect((await NameJournal.open(path())).isNew).to.equal(true)
    await journal.replace([])
    await journal.close()
    expect((await NameJournal.open(path())).isNew).to.equal(false)
    expect(await read()).to.deep.equal([])
  })

  it('has the names that were added and not deleted', async () => {
    const journal = await NameJournal.open(path())
    await journal.replace(['a', 'b'])
    await journal.add('c')
    await journal.add('c')
    await journal.delete('a')
    await journal.delete('absent')
    expect([...journal.names]).to.deep.equal(['b', 'c'])
    expect(await read()).to.deep.equal(['b', 'c'])
    await journal.close()
  })

  it('is not misled by a line that a crash cut short', async () => {
    await fs.writeFile(path(), '+a\n+b\n-a\n-b')
    expect(await read()).to.deep.equal(['b'])
  })

  it('writes nothing when it is told what it knows, for the disk may be full', async () => {
    const before = await NameJournal.open(path())
    await before.replace(['a', 'b'])
    await before.close()
    const { ino } = await fs.stat(path())
    const after = await NameJournal.open(path())
    await after.replace(['b', 'a'])
    expect((await fs.stat(path())).ino).to.equal(ino)
    await after.add('c')
    await after.close()
    const names = (await NameJournal.open(path())).names
    expect([...names].toSorted()).to.deep.equal(['a', 'b', 'c'])
  })
})
