import {
  InvalidArgumentError,
  messageOf,
  NotSupportedError,
} from '../base/errors.ts'
import { filesystemOf } from '../linux/fs-magic.ts'
import { claim, driverOf } from './format.ts'
import type { Home } from './home.ts'
import type { LayerDriver } from './layer-driver.ts'

/** A way to keep layers that this Stowage knows. */
export interface Candidate {
  readonly name: string
  /** Filesystems that it is the first choice for; all, where they are not named. */
  readonly bestOn?: readonly string[]
  /** @throws NotSupportedError when it cannot run in `home`, saying why. */
  open(home: Home): Promise<LayerDriver>
}

/** A driver, and why it was chosen. */
export interface Choice {
  readonly layers: LayerDriver
  readonly reason: string
}

/** The name that leaves the choice to Stowage. */
export const AUTO = 'auto'

/**
 * Opens the driver that `wanted` names for `home`. For `auto` that is the driver
 * whose layers are there already, and in an empty Home the first candidate that
 * suits its filesystem and can run there.
 *
 * Layers of one driver are never hidden behind another: where some are, a choice
 * of another driver is refused, and a driver that cannot read them fails.
 */
export async function openLayers(
  candidates: readonly Candidate[],
  home: Home,
  wanted: string,
): Promise<Choice> {
  const present = await driverOf(home.path)
  if (present === undefined) return await firstChoice(candidates, home, wanted)
  if (wanted !== AUTO && wanted !== present) {
    throw new InvalidArgumentError(
      `Driver "${wanted}" cannot be used: the layers in "${home.path}" are kept by "${present}". Leave the driver to "${AUTO}", or name another Home`,
    )
  }
  const candidate = named(candidates, present)
  await claim(home.path, present)
  return {
    layers: await candidate.open(home),
    reason: `the layers in "${home.path}" are kept by it`,
  }
}

async function firstChoice(
  candidates: readonly Candidate[],
  home: Home,
  wanted: string,
): Promise<Choice> {
  const choice =
    wanted === AUTO
      ? await firstThatRuns(candidates, home)
      : {
          layers: await named(candidates, wanted).open(home),
          reason: 'it was asked for',
        }
  await claim(home.path, choice.layers.name)
  return choice
}

async function firstThatRuns(
  candidates: readonly Candidate[],
  home: Home,
): Promise<Choice> {
  const filesystem = await filesystemOf(home.path)
  const refusals: string[] = []
  for (const candidate of candidates) {
    if (candidate.bestOn?.includes(filesystem) === false) continue
    try {
      const layers = await candidate.open(home)
      const others = refusals.map((refusal) => `; ${refusal}`).join('')
      return { layers, reason: `it suits ${filesystem}${others}` }
    } catch (error) {
      if (!(error instanceof NotSupportedError)) throw error
      refusals.push(`${candidate.name} cannot: ${messageOf(error)}`)
    }
  }
  throw new NotSupportedError(
    `No driver can keep layers in "${home.path}" on ${filesystem}: ${refusals.join('; ')}`,
  )
}

function named(candidates: readonly Candidate[], name: string): Candidate {
  const candidate = candidates.find((it) => it.name === name)
  if (candidate !== undefined) return candidate
  const names = candidates.map((it) => `"${it.name}"`).join(', ')
  throw new InvalidArgumentError(
    `Driver "${name}" is unknown: known are "${AUTO}", ${names}`,
  )
}
