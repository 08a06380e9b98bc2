import { serveCalls } from '../base/thread.ts'

/** What the thread of `readJson` does. */
export type JsonCalls = {
  /** @throws Error for what is no JSON, or is made of too many values. */
  parse(text: Uint8Array): unknown
}

/** More would take the main thread too long to take over. */
const MOST_VALUES = 4000

serveCalls({
  parse(text) {
    const value: unknown = JSON.parse(Buffer.from(text).toString())
    if (countUpTo(MOST_VALUES + 1, value) <= MOST_VALUES) return value
    throw new Error(`it is made of too many values: at most ${MOST_VALUES}`)
  },
} satisfies JsonCalls)

/** How many values are in `root` and beneath, but no more than `most`. */
function countUpTo(most: number, root: unknown): number {
  const left = [root]
  let count = 0
  while (left.length > 0 && count < most) {
    const value = left.pop()
    count += 1
    if (typeof value === 'object' && value !== null) {
      for (const each of Object.values(value)) left.push(each)
    }
  }
  return count
}
