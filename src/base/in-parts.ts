/** What one thread or process sends another at once: a millisecond or two to receive. */
const PART = 500

/** `items` in their order, some hundred at a time. */
export function* inParts<T>(
  items: readonly T[],
): Generator<readonly T[], void> {
  for (let from = 0; from < items.length; from += PART) {
    yield items.slice(from, from + PART)
  }
}
