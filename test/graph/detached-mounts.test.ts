import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { DetachedMounts } from '../../src/graph/detached-mounts.ts'

describe('DetachedMounts', () => {
  let mounts: DetachedMounts
  let endings: string[]
  beforeEach(() => {
    mounts = new DetachedMounts()
    endings = []
  })

  /** Takes some time to end. */
  function detached(name: string): { end: () => Promise<void> } {
    return {
      end: async () => {
        endings.push(`${name} ends`)
        await sleep(5)
        endings.push(`${name} has ended`)
      },
    }
  }

  it('end in a row, a moment later', async () => {
    for (const name of ['a', 'b']) mounts.add(name, detached(name))
    expect(endings).to.deep.equal([])
    while (endings.length < 4) await sleep(1)
    expect(endings).to.deep.equal([
      'a ends',
      'a has ended',
      'b ends',
      'b has ended',
    ])
  })

  it('end at once for whom needs their place, and no others', async () => {
    for (const name of ['a', 'b']) mounts.add(name, detached(name))
    mounts.add('b', detached('another b'))
    await mounts.gone('b')
    expect(endings).to.have.members([
      'b ends',
      'another b ends',
      'b has ended',
      'another b has ended',
    ])
    await mounts.gone('nowhere')
    expect(endings).to.have.length(4)
  })

  it('are waited for while they end', async () => {
    mounts.add('a', detached('a'))
    void mounts.gone('a')
    await mounts.gone('a')
    expect(endings).to.deep.equal(['a ends', 'a has ended'])
  })

  it('are gone, also those that could not end', async () => {
    mounts.add('bad', { end: () => Promise.reject(new Error('EIO')) })
    mounts.add('good', detached('good'))
    await mounts.allGone()
    expect(endings).to.deep.equal(['good ends', 'good has ended'])
  })

  it('make room for others when they are many, since each is an open file', () => {
    for (let at = 0; at < 513; at++) mounts.add(`${at}`, detached(`${at}`))
    expect(endings).to.deep.equal(['0 ends', '1 ends'])
  })
})
