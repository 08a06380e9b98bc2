import * as fs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { expect } from 'chai'
import { isErrno } from '../../src/base/errors.ts'
import { amount, failTogether, tell } from '../support/campaign.ts'
import { type Capability, needs } from '../../src/conformance/capabilities.ts'
import {
  type DaemonProcess,
  type Settings,
  useDaemons,
} from '../support/daemon-process.ts'
import {
  type FilesystemKind,
  useLoopFilesystem,
} from '../support/loop-filesystem.ts'
import { randomFrom } from '../support/random-from.ts'
import { StepKiller } from '../support/step-killer.ts'

/** All there is to see, such that equal pictures mean that nothing differs. */
export type Picture = Readonly<Record<string, unknown>>

/** Something that a daemon is killed in the midst of. */
export interface Operation {
  /** Makes what it is done to. */
  prepare?(daemon: DaemonProcess): Promise<unknown>
  act(daemon: DaemonProcess): Promise<unknown>
  /** What else may be found after a kill, besides what was before and what comes after. */
  between?(before: Picture): readonly Picture[]
}

/** A daemon of one kind, what is done to it, and how it is looked at. */
export interface Stage {
  readonly name: string
  readonly settings: Settings
  readonly capabilities?: readonly Capability[]
  readonly disk?: FilesystemKind
  readonly operations: Readonly<Record<string, Operation>>
  /** Makes what stays there all the time, and must not suffer. */
  begin(daemon: DaemonProcess): Promise<void>
  picture(daemon: DaemonProcess): Promise<Picture>
  /** Takes away whatever an operation may have left. */
  clear(daemon: DaemonProcess): Promise<void>
}

/** How often each kind of daemon is killed, which is at each step if it is often enough. */
const CRASHES = amount('STOWAGE_CRASHES', 1)
const SEED = amount('STOWAGE_SEED', Date.now() % 2 ** 31)

/** One crash to see again: `local/create/7`. */
const [AGAIN_ON, AGAIN_IN, AGAIN_AFTER] = (
  process.env.STOWAGE_CRASH ?? ''
).split('/')

/** One cause may show everywhere. */
const MOST_FAILURES = 20

/** What comes after an answer is over when so many milliseconds have brought nothing. */
const QUIET = 150
const NEVER = Infinity

/** What a kill cuts short leaves names that begin so, until the next start. */
const LEFTOVER = /^(?:new-|rm-)/

export function describeCrashes(stage: Stage): void {
  describe(`A daemon (${stage.name}) that is killed after any change it makes`, function () {
    needs('root', 'strace', ...(stage.capabilities ?? []))
    this.timeout(CRASHES < 10 ? 120_000 : 3_600_000)
    const disk = stage.disk && useLoopFilesystem(stage.disk)
    const place = useDaemons(disk && (() => disk.path))

    it('shows all of what it was doing, or nothing, and the rest unharmed', async function () {
      if (AGAIN_ON && AGAIN_ON !== stage.name) this.skip()
      const start = () => place.start({ settings: stage.settings })
      let daemon = await start()
      await stage.begin(daemon)
      let kills = 0
      let steps = 0
      const failures: Error[] = []
      const seen = new Map<string, Rehearsed>()
      for (const { name, at } of plan(stage)) {
        const operation = stage.operations[name]!
        const rehearsed =
          seen.get(name) ?? (await rehearse(stage, operation, daemon))
        if (!seen.has(name)) steps += rehearsed.steps.length
        seen.set(name, rehearsed)
        for (const after of at(rehearsed.steps.length)) {
          const trial = await crash(operation, daemon, after)
          if (trial.killed) {
            kills++
            daemon = await start()
          }
          try {
            await judge(stage, daemon, { ...trial, operation, rehearsed })
          } catch (error) {
            const which = `STOWAGE_CRASH="${stage.name}/${name}/${after}"`
            failures.push(
              new Error(`${which}, after ${trial.steps.at(-1)}`, {
                cause: error,
              }),
            )
            if (failures.length > MOST_FAILURES) break
          }
          await stage.clear(daemon)
        }
      }
      if (failures.length > 0) failTogether(failures)
      expect(await daemon.stop()).to.include({ code: 0 })
      tell(
        `Crashes, ${stage.name}`,
        `${kills} kills at ${steps} steps of ${seen.size} operations`,
      )
    })
  })
}

/** What an operation does when nobody is in its way. */
interface Rehearsed {
  readonly before: Picture
  readonly after: Picture
  readonly steps: readonly string[]
}

interface Crashed {
  readonly killed: boolean
  readonly answered: boolean
  readonly steps: readonly string[]
}

interface Part {
  readonly name: string
  /** After which of so many changes to kill. */
  readonly at: (count: number) => readonly number[]
}

/** Which operations are cut short where: all everywhere, or some by chance. */
function plan({ operations }: Stage): readonly Part[] {
  const names = Object.keys(operations)
  if (AGAIN_IN !== undefined) {
    return [{ name: AGAIN_IN, at: () => [Number(AGAIN_AFTER)] }]
  }
  const random = randomFrom(SEED)
  if (CRASHES < names.length) {
    return Array.from({ length: CRASHES }, () => ({
      name: names[random(names.length)]!,
      at: (count: number) => [1 + random(count)],
    }))
  }
  // Threads take turns in another way each time.
  const rounds = Math.ceil(CRASHES / (names.length * USUAL_STEPS))
  return Array.from({ length: rounds }, () =>
    names.map((name) => ({ name, at: everywhere })),
  ).flat()
}

const everywhere = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => index + 1)

/** Of which most operations have more. */
const USUAL_STEPS = 8

async function rehearse(
  stage: Stage,
  operation: Operation,
  daemon: DaemonProcess,
): Promise<Rehearsed> {
  await operation.prepare?.(daemon)
  await withoutLeftovers(daemon)
  const before = await stage.picture(daemon)
  await stage.clear(daemon)
  const { steps } = await crash(operation, daemon, NEVER)
  await withoutLeftovers(daemon)
  const after = await stage.picture(daemon)
  await stage.clear(daemon)
  return { before, after, steps }
}

/** Lets the daemon do it, and kills it `after` so many changes. */
async function crash(
  operation: Operation,
  daemon: DaemonProcess,
  after: number,
): Promise<Crashed> {
  await operation.prepare?.(daemon)
  await withoutLeftovers(daemon)
  const killer = await StepKiller.attach(daemon.pid, { after })
  const answered = await answers(operation.act(daemon))
  while (!killer.killed && killer.quietFor < QUIET) await sleep(10)
  await killer.detach()
  const { killed, steps } = killer
  if (killed) await daemon.stop('SIGKILL')
  return { killed, answered, steps }
}

async function answers(call: Promise<unknown>): Promise<boolean> {
  try {
    await call
    return true
  } catch (error) {
    if (isErrno(error, 'ECONNRESET', 'ECONNREFUSED', 'EPIPE')) return false
    throw error
  }
}

/** All of it or nothing; all of it, if that was answered; and nothing besides. */
async function judge(
  stage: Stage,
  daemon: DaemonProcess,
  {
    answered,
    operation,
    rehearsed: { before, after },
  }: Crashed & { operation: Operation; rehearsed: Rehearsed },
): Promise<void> {
  await withoutLeftovers(daemon)
  const found = await stage.picture(daemon)
  const allowed = answered
    ? [after]
    : [before, after, ...(operation.between?.(before) ?? [])]
  if (allowed.some((one) => isDeepStrictEqual(found, one))) return
  const shown = allowed.map((one) => differences(found, one).join('\n'))
  throw new Error(shown.join('\nor\n'))
}

/** What was found that should not be, path by path, and the other way round. */
function differences(found: unknown, expected: unknown, at = ''): string[] {
  if (isDeepStrictEqual(found, expected)) return []
  if (!isObject(found) || !isObject(expected)) {
    const [is, not] = [found, expected].map((value) => JSON.stringify(value))
    return [`${at} is ${is}, not ${not}`]
  }
  const keys = new Set([...Object.keys(found), ...Object.keys(expected)])
  return [...keys].flatMap((key) =>
    differences(found[key], expected[key], `${at}/${key}`),
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** Waits until what a crash left half made is deleted. */
async function withoutLeftovers({ dataRoot }: DaemonProcess): Promise<void> {
  const deadline = performance.now() + 10_000
  for (;;) {
    const left = await leftovers(dirname(dataRoot))
    if (left.length === 0) return
    if (performance.now() > deadline) expect(left).to.deep.equal([])
    await sleep(20)
  }
}

/** Whatever is half made or half gone under `directory`, not looking into volumes' files. */
async function leftovers(directory: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await entriesOf(directory)) {
    const path = join(directory, entry.name)
    if (LEFTOVER.test(entry.name)) found.push(path)
    else if (entry.isDirectory() && !FILES.has(entry.name)) {
      found.push(...(await leftovers(path)))
    }
  }
  return found
}

/** Where the files of volumes and layers are, whose names are not ours. */
const FILES = new Set(['data', 'view', 'diff', 'tree', 'mnt', 'l'])

async function entriesOf(directory: string) {
  try {
    return await fs.readdir(directory, { withFileTypes: true })
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

/** The regular files of a directory, with their content. */
export async function contentOf(
  directory: string,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const entry of await fs.readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    found[entry.name] = entry.isFile()
      ? await fs.readFile(path, 'utf8')
      : entry.isDirectory()
        ? 'a directory'
        : 'something'
  }
  return found
}
