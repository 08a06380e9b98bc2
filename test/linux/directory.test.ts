import { readSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { closeFile, Directory } from '../../src/linux/directory.ts'
import { setTimes } from '../../src/linux/file-times.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  build,
  directory,
  fifo,
  file,
  socket,
  symlink,
} from '../../src/conformance/tree.ts'

describe('Directory', () => {
  needs('root')
  const home = useTempDir()
  let opened: Directory

  beforeEach(() => {
    opened = Directory.open(home.path)
  })
  afterEach(() => opened.close())

  it('lists names of any bytes, as many as there are', async () => {
    const odd = Buffer.from('\xff\n ü', 'latin1')
    await build(home.path, file(odd), directory('dir'))
    expect(names(opened)).to.deep.equal(['dir', '\xff\n ü'])

    const many = Array.from({ length: 2500 }, (_, index) => `name-${index}`)
    await Promise.all(
      many.map((name) => fs.writeFile(join(home.path, 'dir', name), '')),
    )
    const child = opened.child('dir')!
    expect(names(child)).to.deep.equal(many.toSorted())
    child.close()
  })

  it('follows no link, and takes nothing but a directory for one', async () => {
    await build(home.path, symlink('link', '/etc'), file('file'))
    expect(opened.child('link')).to.equal(undefined)
    expect(opened.child('file')).to.equal(undefined)
    expect(opened.child('absent')).to.equal(undefined)
    expect(opened.openFile('link')).to.equal(undefined)
    expect(opened.readLink('link')).to.equal('/etc')
    expect(opened.status('link')!.size).to.equal(4)
    expect(opened.status('absent')).to.equal(undefined)
  })

  it('waits for no FIFO and opens no socket', async () => {
    await build(home.path, fifo('fifo'), socket('socket'))
    const descriptor = opened.openFile('fifo')
    expect(descriptor).to.be.a('number')
    closeFile(descriptor!)
    expect(opened.openFile('socket')).to.equal(undefined)
  })

  it('leaves the access times as they were', async () => {
    await build(home.path, file('file', 'text'))
    const path = join(home.path, 'file')
    setTimes(path, 5_000_000_000n, 10_000_000_000n)
    const descriptor = opened.openFile('file')!
    expect(readSync(descriptor, Buffer.alloc(9))).to.equal(4)
    closeFile(descriptor)
    expect((await fs.stat(path)).atimeMs).to.equal(5000)
  })

  it('opens again what had to be closed, and sees if it is another', async () => {
    const deep = Array.from({ length: 300 }, () => 'd')
    await build(home.path, directory(deep.join('/')))
    const chain = [opened]
    for (const name of deep) chain.push(chain.at(-1)!.child(name)!)
    expect(chain[1]!.status('d')).to.be.an('object')

    const beside = join(home.path, 'd', 'beside')
    await fs.rename(join(home.path, 'd', 'd'), beside)
    await fs.mkdir(join(home.path, 'd', 'd'))
    expect(() => chain[2]!.status('d')).to.throw(/replaced/)
    for (const directory_ of chain.slice(1)) directory_.close()
  })

  it('names what it could not do by its whole path', () => {
    expect(() => Directory.open(join(home.path, 'absent'))).to.throw(
      /ENOENT.*absent/,
    )
    expect(opened.describe('child')).to.equal(`${home.path}/child`)
    expect(opened.describe('')).to.equal(home.path)
  })
})

function names(of: Directory): string[] {
  const found: string[] = []
  of.eachEntry((name) => found.push(name))
  return found.toSorted()
}
