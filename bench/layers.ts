import * as dataSets from './data-sets.ts'
import type { DriverNames } from './contender.ts'
import type { Row } from './row.ts'
import type { Scenario, Step } from './scenario.ts'

const OVERLAY: DriverNames = { stowage: 'overlay', docker: 'overlay2' }
const VFS: DriverNames = { stowage: 'vfs', docker: 'vfs' }
const BTRFS: DriverNames = { stowage: 'btrfs', docker: 'btrfs' }

/** What the rows of this table are about, and which can be asked for. */
export const LAYER_GROUPS = [
  'apply',
  'diff',
  'changes',
  'chain',
  'cycle',
  'vfs',
  'btrfs',
] as const

export type LayerGroup = (typeof LAYER_GROUPS)[number]

export interface Choice {
  readonly groups: ReadonlySet<string>
  /** Leaves out what takes long. */
  readonly quick: boolean
}

/** The scenarios that fill the rows of the chosen groups. */
export async function layerScenarios({
  groups,
  quick,
}: Choice): Promise<readonly Scenario[]> {
  const scenarios: Scenario[] = []
  const whole = ['apply', 'diff', 'changes'].some((group) => groups.has(group))
  if (whole) {
    scenarios.push(
      wholeLayer('small', await dataSets.small(), groups, {
        apply: 0.45,
        diff: 0.8,
        changes: 0.05,
      }),
      wholeLayer('root', await dataSets.root(), groups, {
        apply: 0.6,
        diff: 0.95,
        changes: 0.05,
      }),
    )
    if (!quick) {
      const tar = await dataSets.big()
      scenarios.push(
        wholeLayer('big', tar, new Set([...groups].filter(isNotChanges)), {
          apply: 1,
          diff: 1.8,
        }),
      )
    }
  }
  if (groups.has('chain')) {
    const length = quick ? 10 : 40
    scenarios.push(chainOf(length, await dataSets.chain(length)))
  }
  if (groups.has('cycle')) scenarios.push(calls(await dataSets.small()))
  if (groups.has('vfs')) {
    scenarios.push(
      copies('small', await dataSets.small()),
      copies('root', await dataSets.root()),
    )
  }
  if (groups.has('btrfs')) scenarios.push(onBtrfs(await dataSets.small()))
  return scenarios
}

interface Targets {
  readonly apply: number
  readonly diff: number
  readonly changes?: number
}

/** A layer in, out again, and a child of it with one file in a hundred changed. */
function wholeLayer(
  name: string,
  tar: dataSets.LayerTar,
  groups: ReadonlySet<string>,
  targets: Targets,
): Scenario {
  return {
    title: `overlay, ${name}`,
    filesystem: 'ext4',
    drivers: OVERLAY,
    steps(round) {
      const base = `base-${round}`
      const child = `child-${round}`
      const steps: Step[] = [
        { job: { Job: 'create', ID: base } },
        {
          job: { Job: 'apply', ID: base, Tars: [tar] },
          row: row(`apply ${name}`, targets.apply),
        },
      ]
      if (groups.has('diff')) {
        steps.push({
          job: { Job: 'diff', ID: base },
          row: row(`diff ${name}`, targets.diff),
        })
      }
      if (groups.has('changes')) {
        const pair = { ID: child, Parent: base }
        steps.push(
          { job: { Job: 'create', ...pair } },
          { job: { Job: 'touch', ID: child, Count: 100 } },
          {
            job: { Job: 'changes', ...pair },
            row: row(`changes ${name}`, targets.changes),
          },
          { job: { Job: 'diffsize', ...pair }, row: row(`diffsize ${name}`) },
          { job: { Job: 'diff', ...pair }, row: row(`diff of 1 % ${name}`) },
          { job: { Job: 'remove', ID: child } },
        )
      }
      steps.push({
        job: { Job: 'remove', ID: base },
        row: row(`remove ${name}`),
      })
      return steps
    },
  }
}

/** A tall image: layer upon layer, then the topmost's diff and changes. */
function chainOf(length: number, tars: readonly dataSets.LayerTar[]): Scenario {
  return {
    title: `overlay, chain of ${length}`,
    filesystem: 'ext4',
    drivers: OVERLAY,
    steps(round) {
      const chain = `chain-${round}`
      const top = `${chain}-${length - 1}`
      const below = `${chain}-${length - 2}`
      return [
        {
          job: { Job: 'chain', ID: chain, Tars: tars },
          row: row(`chain of ${length}`, 0.4),
        },
        {
          job: { Job: 'diff', ID: top, Parent: below },
          row: row('chain, diff of the top'),
        },
        {
          job: { Job: 'changes', ID: top, Parent: below },
          row: row('chain, changes of the top', 0.05),
        },
        {
          job: { Job: 'getput', ID: top, Count: 20 },
          row: row('chain, get and put'),
          per: 20,
        },
        {
          job: { Job: 'remove', ID: chain, Count: length },
          row: row('chain, remove'),
        },
      ]
    },
  }
}

/** The calls around a container's life, on a parent that has files. */
function calls(tar: dataSets.LayerTar): Scenario {
  return {
    title: 'overlay, calls',
    filesystem: 'ext4',
    drivers: OVERLAY,
    steps(round) {
      const base = `base-${round}`
      const held = `held-${round}`
      return [
        { job: { Job: 'create', ID: base } },
        { job: { Job: 'apply', ID: base, Tars: [tar] } },
        {
          job: { Job: 'cycle', ID: `empty-${round}`, Count: 300 },
          row: row('cycle without a parent'),
          per: 300,
        },
        {
          job: { Job: 'cycle', ID: `c-${round}`, Parent: base, Count: 300 },
          row: row('cycle of a child', 1.45),
          per: 300,
        },
        {
          job: {
            Job: 'cycle',
            ID: `p-${round}`,
            Parent: base,
            Count: 320,
            Callers: 32,
          },
          row: row('cycle of a child, 32 at once'),
          per: 320,
        },
        { job: { Job: 'create', ID: held, Parent: base } },
        {
          job: { Job: 'getput', ID: held, Count: 300 },
          row: row('get and put'),
          per: 300,
        },
        {
          job: { Job: 'exists', ID: held, Count: 3000 },
          row: row('exists'),
          per: 3000,
        },
        { job: { Job: 'remove', ID: held } },
        { job: { Job: 'remove', ID: base } },
      ]
    },
  }
}

/** Whole copies, where the filesystem can share their blocks. */
function copies(name: string, tar: dataSets.LayerTar): Scenario {
  return {
    title: `vfs on xfs, ${name}`,
    filesystem: 'xfs',
    drivers: VFS,
    steps(round) {
      const base = `base-${round}`
      const pair = { ID: `child-${round}`, Parent: base }
      return [
        { job: { Job: 'create', ID: base } },
        {
          job: { Job: 'apply', ID: base, Tars: [tar] },
          row: row(`vfs, apply ${name}`),
        },
        {
          job: { Job: 'create', ...pair },
          row: row(`vfs, create on a parent, ${name}`, 0.7),
        },
        { job: { Job: 'touch', ID: pair.ID, Count: 100 } },
        {
          job: { Job: 'changes', ...pair },
          row: row(`vfs, changes ${name}`, 0.5),
        },
        {
          job: { Job: 'diff', ...pair },
          row: row(`vfs, diff of 1 % ${name}`),
        },
        { job: { Job: 'remove', ID: pair.ID } },
        { job: { Job: 'remove', ID: base }, row: row(`vfs, remove ${name}`) },
      ]
    },
  }
}

/** Subvolumes and their snapshots. */
function onBtrfs(tar: dataSets.LayerTar): Scenario {
  return {
    title: 'btrfs, small',
    filesystem: 'btrfs',
    drivers: BTRFS,
    steps(round) {
      const base = `base-${round}`
      const pair = { ID: `child-${round}`, Parent: base }
      return [
        { job: { Job: 'create', ID: base } },
        {
          job: { Job: 'apply', ID: base, Tars: [tar] },
          row: row('btrfs, apply small'),
        },
        {
          job: { Job: 'diff', ID: base },
          row: row('btrfs, diff small'),
        },
        { job: { Job: 'create', ...pair } },
        { job: { Job: 'touch', ID: pair.ID, Count: 100 } },
        {
          job: { Job: 'changes', ...pair },
          row: row('btrfs, changes small', 0.5),
        },
        {
          job: { Job: 'cycle', ID: `c-${round}`, Parent: base, Count: 50 },
          row: row('btrfs, cycle of a child'),
          per: 50,
        },
        { job: { Job: 'remove', ID: pair.ID } },
        { job: { Job: 'remove', ID: base } },
      ]
    },
  }
}

function row(name: string, target?: number): Row {
  return { name, target }
}

function isNotChanges(group: string): boolean {
  return group !== 'changes'
}
