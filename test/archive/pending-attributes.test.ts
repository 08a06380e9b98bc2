import { expect } from 'chai'
import type { Attributes } from '../../src/archive/node-maker.ts'
import { PendingAttributes } from '../../src/archive/pending-attributes.ts'

const LONG_AGO = 1_000_000_000n

function attributes(mode: number): Attributes {
  return { mode, uid: 0, gid: 0, mtime: LONG_AGO, xattrs: new Map() }
}

describe('PendingAttributes', () => {
  it('holds what was said last of each directory', () => {
    const pending = new PendingAttributes()
    pending.describe('a', attributes(0o700))
    pending.describe('a/b', attributes(0o750))
    pending.describe('a', attributes(0o711))
    expect(modes(pending)).to.deep.equal({ a: 0o711, 'a/b': 0o750 })
  })

  it('forgets what was said of a directory, and below it, once it is replaced', () => {
    const pending = new PendingAttributes()
    pending.describe('a', attributes(0o700))
    pending.describe('a/b/c', attributes(0o701))
    pending.describe('ab', attributes(0o702))
    pending.replaced('a')
    pending.describe('a/d', attributes(0o703))
    expect(modes(pending)).to.deep.equal({ ab: 0o702, 'a/d': 0o703 })
  })

  it('lets a change tell on the time of what is from below', () => {
    const pending = new PendingAttributes()
    pending.continue('below', attributes(0o700))
    pending.continue('left', attributes(0o700))
    pending.describe('said', attributes(0o700))
    for (const path of ['below', 'said', 'unknown']) pending.changed(path)
    const times = Object.fromEntries(
      [...pending.entries()].map(([path, { mtime }]) => [path, mtime]),
    )
    expect(times['below']! > LONG_AGO).to.equal(true)
    expect(times).to.include({ left: LONG_AGO, said: LONG_AGO })
    expect(times).not.to.have.property('unknown')
  })

  it('keeps what the archive says of a directory after things in it changed', () => {
    const pending = new PendingAttributes()
    pending.continue('a', attributes(0o700))
    pending.changed('a')
    pending.describe('a', attributes(0o711))
    pending.changed('a')
    const [[, { mtime }] = ['', attributes(0)]] = [...pending.entries()]
    expect(mtime).to.equal(LONG_AGO)
  })
})

function modes(pending: PendingAttributes): Record<string, number> {
  return Object.fromEntries(
    [...pending.entries()].map(([path, { mode }]) => [path, mode]),
  )
}
