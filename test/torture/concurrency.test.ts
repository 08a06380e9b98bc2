import { join } from 'node:path'
import { SHARED_MEMORY } from '../../src/conformance/temp-dir.ts'
import {
  DockerdClient,
  PluginFailure,
} from '../../src/conformance/dockerd-client.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { amount, failWith, tell } from '../support/campaign.ts'
import { type DaemonProcess, useDaemons } from '../support/daemon-process.ts'
import {
  type Event,
  isLinearizable,
  type Model,
} from '../support/linearizable.ts'
import { type Random, randomFrom } from '../support/random-from.ts'

/** How many histories are made of each kind. */
const HISTORIES = amount('STOWAGE_HISTORIES', 15)
const SEED = amount('STOWAGE_SEED', Date.now() % 2 ** 31)

const CALLERS = 6
const CALLS_OF_EACH = 6

interface Ask {
  readonly method: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** What of an answer the model speaks of. */
type Answer = string | number | boolean | null

type History = readonly Event<Ask, Answer>[]

describe('Many callers at once', function () {
  needs('root', 'overlay')
  this.timeout(60_000 + HISTORIES * 5000)
  const place = useDaemons(() => SHARED_MEMORY)

  it(`are answered as if they had come one after the other, about a volume, ${HISTORIES} times`, async () => {
    await check(await place.start(), 'volumes', VOLUME, volumeCall)
  })

  it(`are answered as if they had come one after the other, about a layer, ${HISTORIES} times`, async () => {
    const daemon = await place.start()
    const Home = join(place.path, 'home')
    await daemon.docker.call('GraphDriver.Init', { Home })
    await check(daemon, 'layers', LAYER, layerCall)
  })
})

async function check<State>(
  daemon: DaemonProcess,
  kind: string,
  model: Model<State, Ask, Answer>,
  choose: (random: Random, subject: string) => Ask,
): Promise<void> {
  const clients = Array.from(
    { length: CALLERS },
    () => new DockerdClient(daemon.socketPath),
  )
  let calls = 0
  for (let at = 0; at < HISTORIES; at++) {
    const seed = SEED + at
    const random = randomFrom(seed)
    const history: Event<Ask, Answer>[] = []
    await Promise.all(
      clients.map(async (client) => {
        for (let call = 0; call < CALLS_OF_EACH; call++) {
          const ask = choose(random, `s${at}`)
          const asked = performance.now()
          const answer = await answerTo(client, ask)
          history.push({ ask, answer, asked, answered: performance.now() })
        }
      }),
    )
    calls += history.length
    if (!isLinearizable(history, model)) {
      failWith(
        `STOWAGE_SEED=${seed}`,
        new Error(`No order fits\n${told(history)}`),
      )
    }
  }
  for (const client of clients) client.close()
  tell(
    `Concurrency, ${kind}`,
    `${HISTORIES} histories of ${calls} calls fit an order`,
  )
}

function told(history: History): string {
  return history
    .map(({ ask, answer, asked, answered }) => {
      const { method, fields } = ask
      const during = `${asked.toFixed(2)} to ${answered.toFixed(2)}`
      return `${during} ${method} ${JSON.stringify(fields)}: ${answer}`
    })
    .join('\n')
}

async function answerTo(client: DockerdClient, ask: Ask): Promise<Answer> {
  try {
    const answer = await client.call(ask.method, ask.fields)
    if (ask.method.endsWith('.Exists')) return answer.Exists === true
    if (ask.method !== 'VolumeDriver.Get') return 'done'
    const { Volume } = answer as { Volume: Shown | null }
    if (Volume === null) return null
    return `${Volume.Status.labels.mark} ${Volume.Status.holders}`
  } catch (error) {
    if (error instanceof PluginFailure) return refusal(error.message)
    throw error
  }
}

/** Refusals are told apart, for a wrong one is a wrong answer. */
function refusal(message: string): string {
  if (/does not exist/.test(message)) return 'absent'
  if (/already exists/.test(message)) return 'exists'
  return message
}

interface Shown {
  readonly Status: {
    readonly labels: Readonly<Record<string, string>>
    readonly holders: number
  }
}

function volumeCall(random: Random, Name: string): Ask {
  const ID = `id${random(3)}`
  const mark = String(random(2))
  return pick(random, [
    to('VolumeDriver.Create', { Name, Opts: { 'label.mark': mark } }),
    to('VolumeDriver.Create', { Name, Opts: { 'label.mark': mark } }),
    to('VolumeDriver.Remove', { Name }),
    to('VolumeDriver.Get', { Name }),
    to('VolumeDriver.Mount', { Name, ID }),
    to('VolumeDriver.Unmount', { Name, ID }),
  ])
}

function layerCall(random: Random, ID: string): Ask {
  return pick(random, [
    to('GraphDriver.Create', { ID, Parent: '' }),
    to('GraphDriver.Remove', { ID }),
    to('GraphDriver.Exists', { ID }),
    to('GraphDriver.Get', { ID }),
    to('GraphDriver.Put', { ID }),
  ])
}

function to(method: string, fields: Ask['fields']): Ask {
  return { method, fields }
}

function pick(random: Random, asks: readonly Ask[]): Ask {
  return asks[random(asks.length)]!
}

/** The state that follows, if the answer is one that fits. */
function when<State>(fits: boolean, next: State): State | undefined {
  return fits ? next : undefined
}

/** A volume: its mark and how often each id holds it, or nothing. */
type VolumeState = { mark: string; holds: Record<string, number> } | null

const VOLUME: Model<VolumeState, Ask, Answer> = {
  first: null,
  next(state, { method, fields }, answer) {
    const id = String(fields.ID)
    switch (method) {
      case 'VolumeDriver.Create': {
        const { 'label.mark': mark = '' } = fields.Opts as Record<
          string,
          string
        >
        if (state === null) return when(answer === 'done', { mark, holds: {} })
        return when(answer === (state.mark === mark ? 'done' : 'exists'), state)
      }
      case 'VolumeDriver.Remove':
        return when(answer === 'done', null)
      case 'VolumeDriver.Mount': {
        if (state === null) return when(answer === 'absent', state)
        return when(answer === 'done', held(state, id, 1))
      }
      case 'VolumeDriver.Unmount': {
        if (state === null) return when(answer === 'done', state)
        return when(answer === 'done', held(state, id, -1))
      }
      default: {
        if (state === null) return when(answer === null, state)
        const holders = Object.keys(state.holds).length
        return when(answer === `${state.mark} ${holders}`, state)
      }
    }
  },
}

function held(
  { mark, holds }: NonNullable<VolumeState>,
  id: string,
  more: 1 | -1,
): VolumeState {
  const { [id]: times = 0, ...others } = holds
  const now = times + more
  const all = now > 0 ? { ...others, [id]: now } : others
  const sorted = Object.entries(all).toSorted(([one], [other]) =>
    one < other ? -1 : 1,
  )
  return { mark, holds: Object.fromEntries(sorted) }
}

/** A layer that is fresh may be created again, which is how Docker asks twice. */
type LayerState = 'absent' | 'fresh' | 'used'

const LAYER: Model<LayerState, Ask, Answer> = {
  first: 'absent',
  next(state, { method }, answer) {
    const isThere = state !== 'absent'
    switch (method) {
      case 'GraphDriver.Create':
        if (!isThere) return when(answer === 'done', 'fresh')
        return when(answer === (state === 'fresh' ? 'done' : 'exists'), state)
      case 'GraphDriver.Remove':
        return when(answer === 'done', 'absent')
      case 'GraphDriver.Exists':
        return when(answer === isThere, state)
      case 'GraphDriver.Get':
        return when(
          answer === (isThere ? 'done' : 'absent'),
          isThere ? 'used' : state,
        )
      default:
        return when(answer === 'done', state)
    }
  },
}
