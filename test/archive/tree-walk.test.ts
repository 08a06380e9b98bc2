import { join } from 'node:path'
import { expect } from 'chai'
import { LowerView } from '../../src/archive/lower-view.ts'
import { TreeWalk, type WalkOptions } from '../../src/archive/tree-walk.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import {
  build,
  device,
  directory,
  file,
  type Step,
} from '../../src/conformance/tree.ts'
import { Directory } from '../../src/linux/directory.ts'

const LONG_AGO = { mtime: 5 }
const WHITEOUT = { major: 0, minor: 0 }

/** A tree in which names sort between a directory and what is in it. */
const TRICKY: readonly Step[] = [
  directory('a/b'),
  directory('a-b/c'),
  file('a/b/file', 'one', LONG_AGO),
  file('a-b/c/file', 'one', LONG_AGO),
  file('a.txt', 'one', LONG_AGO),
]

describe('A walk through a tree', () => {
  needs('root')
  const home = useTempDir()

  async function made(name: string, ...steps: Step[]): Promise<Directory> {
    await build(home.path, directory(name))
    await build(join(home.path, name), ...steps)
    return Directory.open(join(home.path, name))
  }

  it('tells all of it in the byte order of whole paths', async () => {
    const tree = await made('tree', ...TRICKY)
    expect(walk(tree)).to.deep.equal([
      'added a',
      'added a-b',
      'added a-b/c',
      'added a-b/c/file',
      'added a.txt',
      'added a/b',
      'added a/b/file',
    ])
  })

  it('tells the directories above a change, each at its place', async () => {
    const parent = await made('parent', ...TRICKY)
    const tree = await made(
      'tree',
      ...TRICKY,
      file('a/b/file', 'two', LONG_AGO),
      file('a-b/c/new', ''),
    )
    expect(walk(tree, { below: LowerView.ofTree(parent) })).to.deep.equal([
      'modified a',
      'modified a-b',
      'modified a-b/c',
      'added a-b/c/new',
      'modified a/b',
      'modified a/b/file',
    ])
  })

  it('tells what is gone, but not what was below it', async () => {
    const parent = await made('parent', ...TRICKY)
    const tree = await made('tree', directory('a-b/c'))
    expect(walk(tree, { below: LowerView.ofTree(parent) })).to.deep.equal([
      'deleted a',
      'modified a-b',
      'modified a-b/c',
      'deleted a-b/c/file',
      'deleted a.txt',
    ])
  })

  it('tells a directory that became a file, and a file that became one', async () => {
    const parent = await made('parent', directory('a/b'), file('f'))
    const tree = await made('tree', file('a'), directory('f'), file('f/x'))
    expect(walk(tree, { below: LowerView.ofTree(parent) })).to.deep.equal([
      'modified a',
      'modified f',
      'added f/x',
    ])
  })

  it('takes an upper directory’s whiteouts for what they delete', async () => {
    const lower = await made('lower', ...TRICKY)
    const upper = await made(
      'upper',
      directory('a'),
      device('a/b', 'character', WHITEOUT),
      device('never-was', 'character', WHITEOUT),
    )
    const below = LowerView.ofLowers([lower])
    expect(walk(upper, { below, isUpper: true })).to.deep.equal([
      'modified a',
      'deleted a/b',
    ])
  })

  it('tells nothing of what is pruned, nor of what is in it', async () => {
    const tree = await made('tree', ...TRICKY)
    const pruned = walk(tree, { prunes: (path) => path === 'a' })
    expect(pruned.join()).not.to.include('a/b')
  })

  it('begins with the root where that is asked for', async () => {
    const tree = await made('tree', file('x'))
    expect(walk(tree, { tellsRoot: true })).to.deep.equal(['added ', 'added x'])
  })

  it('is ended by whoever checks on it', async () => {
    const tree = await made('tree', ...TRICKY)
    const walking = new TreeWalk(tree, {
      check: () => {
        throw new Error('enough')
      },
    })
    expect(() => walking.next()).to.throw('enough')
    walking.close()
  })
})

function walk(tree: Directory, options?: WalkOptions): string[] {
  const walking = new TreeWalk(tree, options)
  const told: string[] = []
  for (let each; (each = walking.next()) !== undefined;) {
    told.push(`${each.kind} ${each.path}`)
  }
  walking.close()
  return told
}
