import { isTurnOver, nextTurn } from '../base/next-turn.ts'

/** The labels of one series, each name with its value. */
export type Labels = Readonly<Record<string, string>>

/** One number as it is now. */
export interface Sample {
  readonly labels?: Labels
  readonly value: number
}

/** Tells numbers that nobody keeps count of, when they are asked for. */
export type Collect = () => readonly Sample[] | Promise<readonly Sample[]>

interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly series: () => Promise<readonly (Sample & { readonly of?: string })[]>
}

export interface Counter {
  add(labels?: Labels, amount?: number): void
}

export interface Histogram {
  observe(value: number, labels?: Labels): void
}

/** Seconds, from what a mount takes to what Docker does not wait for any more. */
const BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60]

/** Numbers about this daemon, for Prometheus. */
export class Metrics {
  readonly #families: Family[] = []

  /** A number that only grows. */
  counter(name: string, help: string): Counter {
    const values = new Map<string, { labels: Labels; value: number }>()
    this.#families.push({
      name,
      help,
      type: 'counter',
      series: async () => [...values.values()],
    })
    return {
      add: (labels = {}, amount = 1) => {
        const key = written(labels)
        const present = values.get(key)
        if (present === undefined) values.set(key, { labels, value: amount })
        else present.value += amount
      },
    }
  }

  /** How many values fell below each of some limits, and what they add up to. */
  histogram(name: string, help: string): Histogram {
    const all = new Map<string, Distribution>()
    this.#families.push({
      name,
      help,
      type: 'histogram',
      series: async () => [...all.values()].flatMap(samplesOf),
    })
    return {
      observe: (value, labels = {}) => {
        const key = written(labels)
        const present = all.get(key) ?? emptyDistribution(labels)
        all.set(key, present)
        present.count++
        present.sum += value
        BUCKETS.forEach((limit, nth) => {
          if (value <= limit) present.buckets[nth] = count(present, nth) + 1
        })
      },
    }
  }

  /** Numbers that go up and down, asked for whenever somebody looks. */
  gauge(name: string, help: string, collect: Collect): void {
    const series = async (): Promise<readonly Sample[]> => collect()
    this.#families.push({ name, help, type: 'gauge', series })
  }

  /** The names of all families, in order. */
  names(): readonly string[] {
    return this.#families.map(({ name }) => name).toSorted()
  }

  /** All numbers as Prometheus reads them. */
  async text(): Promise<string> {
    const lines: string[] = []
    for (const { name, help, type, series } of this.#families) {
      if (isTurnOver()) await nextTurn()
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
      for (const { of = '', labels = {}, value } of await series()) {
        lines.push(`${name}${of}${written(labels)} ${value}`)
      }
    }
    return `${lines.join('\n')}\n`
  }
}

interface Distribution {
  readonly labels: Labels
  readonly buckets: number[]
  count: number
  sum: number
}

function emptyDistribution(labels: Labels): Distribution {
  return { labels, buckets: BUCKETS.map(() => 0), count: 0, sum: 0 }
}

function count({ buckets }: Distribution, nth: number): number {
  return buckets[nth] ?? 0
}

function samplesOf(
  all: Distribution,
): readonly (Sample & { readonly of: string })[] {
  const { labels } = all
  const buckets = BUCKETS.map((limit, nth) => ({
    of: '_bucket',
    labels: { ...labels, le: String(limit) },
    value: count(all, nth),
  }))
  return [
    ...buckets,
    { of: '_bucket', labels: { ...labels, le: '+Inf' }, value: all.count },
    { of: '_sum', labels, value: all.sum },
    { of: '_count', labels, value: all.count },
  ]
}

/** `{name="value",…}`, and nothing for no labels. */
function written(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${escaped(value)}"`,
  )
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** Hardly any value has something to escape, and each call writes one. */
function escaped(value: string): string {
  if (!/[\\"\n]/.test(value)) return value
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
}
