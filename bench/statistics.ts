export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  const lower = sorted[middle - 1] ?? upper
  return sorted.length % 2 === 0 ? (lower + upper) / 2 : upper
}

/** What is left of `values` without their lowest and highest quarter. */
export function middleHalf(
  values: readonly number[],
): readonly [low: number, high: number] {
  const sorted = values.toSorted((a, b) => a - b)
  const cut = Math.floor(sorted.length / 4)
  return [
    sorted[cut] ?? Number.NaN,
    sorted[sorted.length - 1 - cut] ?? Number.NaN,
  ]
}
