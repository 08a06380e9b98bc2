/** A source of numbers that a seed brings back. */
export type Random = (below: number) => number

/** By Marsaglia's xorshift, 32 bits. */
export function randomFrom(seed: number): Random {
  let state = seed | 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}
