import { randomInt } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { expect } from 'chai'
import { isErrno } from '../../src/base/errors.ts'
import { mountsBelow } from '../../src/linux/mountinfo.ts'
import { type Capability, needs } from '../../src/conformance/capabilities.ts'
import { type DaemonProcess, useDaemons } from '../support/daemon-process.ts'
import { forgeTar } from '../../src/conformance/forge-tar.ts'
import { useLoopFilesystem } from '../support/loop-filesystem.ts'

/** How often daemons are killed in all: a few times by default, 200 in a campaign. */
const KILLS = Number(process.env.STOWAGE_KILLS ?? 6)

/** Answers that a daemon gives before it is killed, at most, and within what time. */
const MOST_ANSWERS = 40
const LONGEST_LIFE = 10_000
/** The kill comes so many milliseconds later, at most: in the midst of the next. */
const LATEST = 20

/** Stacks of layers that are worked on at once, each by one client at a time. */
const STACKS = 6
const HIGHEST = 5

/** What Docker knows of a layer: the files that it shows, with their content. */
interface Layer {
  readonly id: string
  readonly parent: string
  files: Readonly<Record<string, string>>
  holds: number
}

/** One stack, bottom first, and the call whose answer never came. */
interface Stack {
  readonly name: string
  readonly layers: Layer[]
  unsure?: { readonly call: string; readonly layer: Layer }
  count: number
}

describeKills('overlay', Math.ceil(KILLS / 2), ['overlay'])
describeKills('vfs', Math.ceil(KILLS / 4))
describeKills('btrfs', Math.ceil(KILLS / 4), ['btrfs'])

function describeKills(
  driver: string,
  kills: number,
  capabilities: readonly Capability[] = [],
): void {
  describe(`A daemon with layers on ${driver} that is killed at any moment`, function () {
    needs('root', ...capabilities)
    this.timeout(30_000 + kills * 15_000)
    const disk = driver === 'btrfs' ? useLoopFilesystem('btrfs') : undefined
    const place = useDaemons(disk && (() => disk.path))
    const settings = {
      STOWAGE_IMPLEMENTS: 'graph',
      STOWAGE_GRAPH_DRIVER: driver,
    }

    it(`has every layer whole or not at all, ${kills} times`, async () => {
      const home = join(place.path, 'home')
      const stacks = Array.from({ length: STACKS }, (_, index): Stack => ({
        name: `stack${index}`,
        layers: [],
        count: 0,
      }))
      let daemon = await place.start({ settings })
      await daemon.docker.call('GraphDriver.Init', { Home: home })
      const answers: Record<string, number> = {}
      for (let kill = 0; kill < kills; kill++) {
        await workUntilKilled(daemon, stacks, answers)
        daemon = await place.start({ settings })
        for (const stack of stacks) await check(daemon, stack)
      }
      await finish(daemon, stacks)
      expect(await mountsBelow(home)).to.deep.equal([])
      expect(await daemon.stop()).to.include({ code: 0 })
      expect(await leftovers(home)).to.deep.equal([])
      console.log(`      ${kills} kills after ${JSON.stringify(answers)}`)
    })
  })
}

type Answered = (call: string) => void

/** Works on all stacks at once, and kills the daemon in the midst of it. */
async function workUntilKilled(
  daemon: DaemonProcess,
  stacks: readonly Stack[],
  answers: Record<string, number>,
): Promise<void> {
  const goal = randomInt(MOST_ANSWERS)
  let count = 0
  const work: Promise<void>[] = []
  const enough = new Promise<void>((resolve) => {
    for (const stack of stacks) {
      const working = live(daemon, stack, (call) => {
        answers[call] = (answers[call] ?? 0) + 1
        if (++count >= goal) resolve()
      })
      work.push(working)
    }
  })
  await Promise.race([enough, sleep(LONGEST_LIFE)])
  await sleep(randomInt(LATEST))
  await daemon.stop('SIGKILL')
  await Promise.all(work)
}

/** Does one thing after the other to a stack until the daemon is gone. */
async function live(
  daemon: DaemonProcess,
  stack: Stack,
  answered: Answered,
): Promise<void> {
  for (;;) {
    try {
      await step(daemon, stack, answered)
    } catch (error) {
      if (isErrno(error, 'ECONNRESET', 'ECONNREFUSED', 'EPIPE')) return
      throw error
    }
  }
}

async function step(
  daemon: DaemonProcess,
  stack: Stack,
  answered: Answered,
): Promise<void> {
  const top = stack.layers.at(-1)
  const choice = randomInt(5)
  if (top === undefined || (choice < 2 && stack.layers.length < HIGHEST)) {
    await add(daemon, stack, top)
    answered('Create and ApplyDiff')
  } else if (choice === 2) {
    await hold(daemon, stack, top)
    answered('Get')
  } else if (choice === 3) {
    await letGo(daemon, stack, top)
    answered('Put')
  } else {
    await remove(daemon, stack, top)
    answered('Remove')
  }
}

/** As `docker pull` does: an empty layer, then its tar. */
async function add(
  { docker }: DaemonProcess,
  stack: Stack,
  below: Layer | undefined,
): Promise<void> {
  const id = `${stack.name}-${stack.count++}`
  const parent = below?.id ?? ''
  const layer: Layer = { id, parent, files: below?.files ?? {}, holds: 0 }
  stack.unsure = { call: 'Create', layer }
  await docker.call('GraphDriver.Create', { ID: id, Parent: parent })
  stack.layers.push(layer)

  const content = `${id} `.repeat(randomInt(20_000))
  const names = Array.from(
    { length: randomInt(1, 6) },
    (_, at) => `${id}-${at}`,
  )
  const gone = Object.keys(layer.files).slice(0, 1)
  const kept = Object.entries(layer.files).filter(([it]) => !gone.includes(it))
  layer.files = Object.fromEntries([
    ...kept,
    ...names.map((it) => [it, content] as const),
  ])
  stack.unsure = { call: 'ApplyDiff', layer }
  const tar = forgeTar(
    ...gone.map((name) => ({ name: `.wh.${name}` })),
    ...names.map((name) => ({ name, content })),
  )
  await docker.applyDiff(id, parent, tar)
  delete stack.unsure
}

async function hold(
  { docker }: DaemonProcess,
  stack: Stack,
  layer: Layer,
): Promise<void> {
  stack.unsure = { call: 'Get', layer }
  const { Dir: mountpoint } = await docker.call('GraphDriver.Get', {
    ID: layer.id,
  })
  layer.holds++
  delete stack.unsure
  await fs.access(String(mountpoint))
}

async function letGo(
  { docker }: DaemonProcess,
  stack: Stack,
  layer: Layer,
): Promise<void> {
  stack.unsure = { call: 'Put', layer }
  await docker.call('GraphDriver.Put', { ID: layer.id })
  layer.holds = Math.max(0, layer.holds - 1)
  delete stack.unsure
}

async function remove(
  { docker }: DaemonProcess,
  stack: Stack,
  layer: Layer,
): Promise<void> {
  stack.unsure = { call: 'Remove', layer }
  await docker.call('GraphDriver.Remove', { ID: layer.id })
  stack.layers.pop()
  delete stack.unsure
}

/** Settles the call that had no answer, and looks at all layers. */
async function check(daemon: DaemonProcess, stack: Stack): Promise<void> {
  const { docker } = daemon
  const { unsure } = stack
  if (unsure !== undefined) {
    const { call, layer } = unsure
    const { id } = layer
    const { Exists: exists } = await docker.call('GraphDriver.Exists', {
      ID: id,
    })
    if (call === 'Get' || call === 'Put') {
      expect(exists, `${id} after ${call}`).to.equal(true)
    } else if (
      call === 'Create' ||
      exists === false ||
      (call === 'ApplyDiff' && (await isFresh(daemon, stack, layer)))
    ) {
      await docker.call('GraphDriver.Remove', { ID: id })
      if (stack.layers.at(-1) === layer) stack.layers.pop()
    }
    delete stack.unsure
  }
  for (const layer of stack.layers) {
    expect(await look(daemon, layer.id), layer.id).to.deep.equal(layer.files)
  }
}

/** Whether the layer still shows what its parent shows: its apply never began. */
async function isFresh(
  daemon: DaemonProcess,
  { layers }: Stack,
  { id, parent }: Layer,
): Promise<boolean> {
  const below = layers.find((layer) => layer.id === parent)?.files ?? {}
  return isDeepStrictEqual(await look(daemon, id), below)
}

/** All that a layer shows. */
async function look(
  { docker }: DaemonProcess,
  id: string,
): Promise<Record<string, string>> {
  const { Dir: mountpoint } = await docker.call('GraphDriver.Get', { ID: id })
  const found: Record<string, string> = {}
  for (const name of await fs.readdir(String(mountpoint))) {
    const path = join(String(mountpoint), name)
    found[name] = await fs.readFile(path, 'utf8')
  }
  await docker.call('GraphDriver.Put', { ID: id })
  return found
}

/** Cleanup leaves no mount while layers are there; then all of them go. */
async function finish(
  { docker }: DaemonProcess,
  stacks: readonly Stack[],
): Promise<void> {
  await docker.call('GraphDriver.Cleanup', {})
  for (const { layers } of stacks) {
    for (const { id } of layers.toReversed()) {
      await docker.call('GraphDriver.Remove', { ID: id })
    }
  }
  await docker.call('GraphDriver.Cleanup', {})
}

/** Whatever is in Home beside what is always there. */
async function leftovers(home: string): Promise<string[]> {
  const names = await fs.readdir(home, { recursive: true })
  const always =
    /^(?:format|lock|holds|layers|l|mnt|applying|applied|fresh-[\w-]+)$/
  return names.filter((name) => !always.test(name))
}
