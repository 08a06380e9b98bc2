import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { chart } from './chart.ts'
import type { Samples } from './row.ts'
import { table } from './table.ts'

const RESULTS = join(import.meta.dirname, '../../bench/results')

/** Prints what was found, and keeps it as text, and as a chart if it compares. */
export async function report(name: string, samples: Samples): Promise<void> {
  const { results } = samples
  const text = table(name, results)
  console.log(text)
  await fs.mkdir(RESULTS, { recursive: true })
  await fs.writeFile(join(RESULTS, `${name}.txt`), text)
  if (results.some(({ ratio }) => ratio !== undefined)) {
    await fs.writeFile(join(RESULTS, `${name}.svg`), chart(name, results))
  }
}
