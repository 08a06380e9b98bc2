import * as dataSets from './data-sets.ts'
import type { Row } from './row.ts'
import type { Scenario, Step } from './scenario.ts'

const OVERLAY = { stowage: 'overlay', docker: 'overlay2' }

/**
 * One kind of work at several sizes, told per unit: a line that grows downwards
 * is work that does not scale.
 */
export async function scaleScenarios(): Promise<readonly Scenario[]> {
  const files = await Promise.all(
    [100, 1000, 10_000].map(async (count) => ({
      count,
      tar: await dataSets.files(count),
    })),
  )
  const bytes = await Promise.all(
    [1, 2, 4].map(async (count) => ({ count, tar: await dataSets.big(count) })),
  )
  const layers = await dataSets.chain(125)
  return [
    scenario('files', (round) =>
      files.flatMap(({ count, tar }) =>
        throughOneLayer(
          `${count} files, each`,
          count,
          `f${round}-${count}`,
          tar,
        ),
      ),
    ),
    scenario('bytes', (round) =>
      bytes.flatMap(({ count, tar }) =>
        throughOneLayer(
          `${count} × 256 MiB, each`,
          count,
          `b${round}-${count}`,
          tar,
        ),
      ),
    ),
    scenario('layers', (round) =>
      [1, 10, 100, 125].flatMap((count) =>
        tallImage(count, `l${round}-${count}`, layers.slice(0, count)),
      ),
    ),
    scenario('callers', (round) => callers(`c${round}`, layers.slice(0, 1))),
  ]
}

function throughOneLayer(
  name: string,
  per: number,
  id: string,
  tar: dataSets.LayerTar,
): readonly Step[] {
  return [
    { job: { Job: 'create', ID: id } },
    {
      job: { Job: 'apply', ID: id, Tars: [tar] },
      row: row(`apply ${name}`),
      per,
    },
    { job: { Job: 'diff', ID: id }, row: row(`diff ${name}`), per },
    { job: { Job: 'remove', ID: id } },
  ]
}

function tallImage(
  count: number,
  id: string,
  tars: readonly dataSets.LayerTar[],
): readonly Step[] {
  const top = `${id}-${count - 1}`
  return [
    {
      job: { Job: 'chain', ID: id, Tars: tars },
      row: row(`chain of ${count}, each`),
      per: count,
    },
    {
      job: { Job: 'cycle', ID: `${id}-c`, Parent: top, Count: 20 },
      row: row(`cycle on ${count} layers`),
      per: 20,
    },
    { job: { Job: 'remove', ID: id, Count: count } },
  ]
}

function callers(
  id: string,
  tars: readonly dataSets.LayerTar[],
): readonly Step[] {
  const Parent = `${id}-0`
  const at = [1, 8, 64].map((Callers): Step => {
    const job = { Job: 'cycle', ID: `${id}-by${Callers}`, Parent, Callers }
    return {
      job: { ...job, Count: 256 },
      row: row(`cycle, ${Callers} at once, each`),
      per: 256,
    }
  })
  return [
    { job: { Job: 'chain', ID: id, Tars: tars } },
    ...at,
    { job: { Job: 'remove', ID: id, Count: 1 } },
  ]
}

function scenario(title: string, steps: Scenario['steps']): Scenario {
  return { title, filesystem: 'ext4', drivers: OVERLAY, steps }
}

function row(name: string): Row {
  return { name }
}
