/** Milliseconds of one turn that all who compute much share between them. */
const SHARE = 2

/** Since when they do so in this turn of the event loop, if anybody does. */
let began: number | undefined

const waiting: (() => void)[] = []

/**
 * Whether much has been computed in this turn of the event loop, by whomever. Who
 * computes much asks after each small part of it, lest others wait for the thread:
 *
 *     if (isTurnOver()) await nextTurn()
 *
 * Between two turns the world may change.
 */
export function isTurnOver(): boolean {
  return performance.now() - (began ?? begin()) >= SHARE
}

/** Settles in a later turn of the event loop, one that no other who waits here has. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(giveTurn)
  })
}

function begin(): number {
  setImmediate(() => {
    began = undefined
  })
  return (began = performance.now())
}

function giveTurn(): void {
  begin()
  waiting.shift()?.()
  if (waiting.length > 0) setImmediate(giveTurn)
}
