import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Log, SILENT } from '../../src/base/log.ts'
import { Removals } from '../../src/graph/removals.ts'
import { mount } from '../../src/linux/mount.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { build, directory, file } from '../../src/conformance/tree.ts'

describe('Removals', () => {
  needs('root')
  const temp = useTempDir()
  const warnings: string[] = []
  const log: Log = { ...SILENT, warn: (message) => warnings.push(message) }
  let removals: Removals

  beforeEach(() => {
    warnings.length = 0
    removals = new Removals(log)
  })
  afterEach(() => removals.close())

  it('deletes in the background, and says when it is done', async () => {
    await build(temp.path, directory('a/b/c'), file('a/b/d'), file('kept'))
    removals.start(join(temp.path, 'a'))
    await removals.settled()
    expect(await fs.readdir(temp.path)).to.deep.equal(['kept'])
    expect(warnings).to.deep.equal([])
  })

  it('unmounts what is mounted in the way, and leaves its content alone', async () => {
    await build(
      temp.path,
      directory('a/here'),
      directory('outside'),
      file('outside/precious'),
    )
    const source = join(temp.path, 'outside')
    mount({ type: 'bind', source, options: [] }, join(temp.path, 'a/here'))
    removals.start(join(temp.path, 'a'))
    await removals.settled()
    expect(await fs.readdir(temp.path)).to.deep.equal(['outside'])
    expect(await fs.readdir(source)).to.deep.equal(['precious'])
  })

  it('sweeps by prefix, and nothing else', async () => {
    await build(
      temp.path,
      directory('rm-1/x'),
      directory('new-2'),
      directory('other-3'),
    )
    await removals.sweep(temp.path, ['rm-', 'new-'])
    await removals.settled()
    expect(await fs.readdir(temp.path)).to.deep.equal(['other-3'])
  })

  it('warns of what it cannot delete, and goes on with the next', async () => {
    const stubborn = new Removals(log, async (path) => {
      if (path.endsWith('bad')) throw new Error('no')
    })
    await build(temp.path, directory('bad'), directory('good'))
    stubborn.start(join(temp.path, 'bad'))
    stubborn.start(join(temp.path, 'good'))
    await stubborn.settled()
    await stubborn.close()
    expect(await fs.readdir(temp.path)).to.deep.equal(['bad'])
    expect(warnings).to.deep.equal(['Cannot delete'])
  })
})
