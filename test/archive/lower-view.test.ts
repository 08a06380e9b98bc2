import { join } from 'node:path'
import { expect } from 'chai'
import { LowerView } from '../../src/archive/lower-view.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { build, device, directory, file } from '../../src/conformance/tree.ts'
import { Directory } from '../../src/linux/directory.ts'

const OPAQUE = { xattrs: { 'trusted.overlay.opaque': 'y' } }

describe('LowerView', () => {
  needs('root')
  const home = useTempDir()
  const opened: Directory[] = []

  afterEach(() => {
    for (const each of opened.splice(0)) each.close()
  })

  function lowers(...names: string[]): LowerView {
    const directories = names.map((name) =>
      Directory.open(join(home.path, name)),
    )
    opened.push(...directories)
    return LowerView.ofLowers(directories)
  }

  it('shows several directories as one, the nearest first', async () => {
    await build(
      home.path,
      directory('near'),
      directory('far'),
      file('near/same', 'near'),
      file('near/b', ''),
      file('far/same', 'farther'),
      file('far/a', ''),
    )
    const view = lowers('near', 'far')
    expect(view.names()).to.deep.equal(['a', 'b', 'same'])
    expect(view.find('same')?.status.size).to.equal(4)
    expect(view.find('absent')).to.equal(undefined)
  })

  it('finds what is there, and nothing else, however often it is asked', async () => {
    await build(
      home.path,
      directory('near'),
      directory('far'),
      ...Array.from({ length: 9 }, (_, nth) => file(`near/n${nth}`, '')),
      ...Array.from({ length: 9 }, (_, nth) => file(`far/f${nth}`, 'far')),
      device('near/f8', 'character', { major: 0, minor: 0 }),
    )
    const view = lowers('near', 'far')
    for (let nth = 0; nth < 8; nth++) {
      expect(view.find(`absent${nth}`)).to.equal(undefined)
      expect(view.find(`n${nth}`)?.status.size).to.equal(0)
      expect(view.find(`f${nth}`)?.status.size).to.equal(3)
    }
    expect(view.find('f8')).to.equal(undefined)
    expect(view.names()).to.have.length(17)
    expect(view.find('n8')?.status.size).to.equal(0)
  })

  it('shows nothing where a nearer one has a whiteout', async () => {
    await build(
      home.path,
      directory('near'),
      device('near/gone', 'character', { major: 0, minor: 0 }),
      directory('far/gone-too'),
      file('far/gone', ''),
      device('near/gone-too', 'character', { major: 0, minor: 0 }),
      file('far/stays', ''),
    )
    const view = lowers('near', 'far')
    expect(view.names()).to.deep.equal(['stays'])
    expect(view.find('gone')).to.equal(undefined)
    expect(view.child('gone-too')).to.equal(undefined)
  })

  it('has a directory of all that have it, down to an opaque one', async () => {
    await build(
      home.path,
      directory('1/d'),
      file('1/d/one', ''),
      directory('2/d', OPAQUE),
      file('2/d/two', ''),
      directory('3/d'),
      file('3/d/three', ''),
    )
    const child = lowers('1', '2', '3').child('d')
    expect(child?.names()).to.deep.equal(['one', 'two'])
    child?.close()
  })

  it('ends a directory at the first file of its name', async () => {
    await build(
      home.path,
      directory('1/d'),
      file('1/d/one', ''),
      directory('2'),
      file('2/d', 'a file'),
      directory('3/d'),
      file('3/d/three', ''),
    )
    const child = lowers('1', '2', '3').child('d')
    expect(child?.names()).to.deep.equal(['one'])
    child?.close()
    expect(lowers('2', '3').child('d')).to.equal(undefined)
  })

  it('takes the devices and attributes of a plain tree for what they are', async () => {
    await build(
      home.path,
      directory('tree'),
      device('tree/null', 'character', { major: 0, minor: 0 }),
    )
    const root = Directory.open(join(home.path, 'tree'))
    opened.push(root)
    const view = LowerView.ofTree(root)
    expect(view.names()).to.deep.equal(['null'])
    expect(view.find('null')?.name).to.equal('null')
  })
})
