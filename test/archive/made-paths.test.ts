import { expect } from 'chai'
import { MadePaths } from '../../src/archive/made-paths.ts'

describe('MadePaths', () => {
  it('knows what was made, and the directories on the way', () => {
    const made = new MadePaths()
    made.add('a/b/c')
    made.add('a/b/d')
    made.add('e')
    for (const path of ['a', 'a/b', 'a/b/c', 'a/b/d', 'e']) {
      expect(made.has(path), path).to.equal(true)
    }
  })

  it('knows nothing else', () => {
    const made = new MadePaths()
    made.add('a/b/c')
    for (const path of ['b', 'c', 'a/c', 'a/b/', 'a/b/c/d', 'ab/c']) {
      expect(made.has(path), path).to.equal(false)
    }
  })

  it('takes no two of 100,000 similar paths for the same', () => {
    const made = new MadePaths()
    for (let i = 0; i < 100_000; i++) made.add(`usr/share/doc/${i}`)
    const mistaken: number[] = []
    for (let i = 100_000; i < 200_000; i++) {
      if (made.has(`usr/share/doc/${i}`)) mistaken.push(i)
    }
    expect(mistaken).to.deep.equal([])
  })
})
