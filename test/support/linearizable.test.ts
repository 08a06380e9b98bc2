import { expect } from 'chai'
import { type Event, isLinearizable } from './linearizable.ts'

/** A cell that is written and read. */
const CELL = {
  first: 0,
  next: (state: number, ask: string, answer: number) => {
    if (ask === 'write') return answer
    return answer === state ? state : undefined
  },
}

describe('Whether a history could have come one after the other', () => {
  it('is granted to a read that sees either side of a write it overlaps', () => {
    expect(isLinearizable([write(1, 0, 9), read(0, 1, 2)], CELL)).to.equal(true)
    expect(isLinearizable([write(1, 0, 9), read(1, 1, 2)], CELL)).to.equal(true)
  })

  it('is denied to a read that misses what was written before', () => {
    const history = [write(1, 0, 1), read(0, 2, 3)]
    expect(isLinearizable(history, CELL)).to.equal(false)
  })

  it('is denied to reads that see a write come and go again', () => {
    const history = [write(1, 0, 9), read(1, 1, 2), read(0, 3, 4)]
    expect(isLinearizable(history, CELL)).to.equal(false)
  })
})

function write(answer: number, asked: number, answered: number) {
  return { ask: 'write', answer, asked, answered }
}

function read(
  answer: number,
  asked: number,
  answered: number,
): Event<string, number> {
  return { ask: 'read', answer, asked, answered }
}
