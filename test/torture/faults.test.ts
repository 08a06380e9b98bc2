import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { PluginFailure } from '../../src/conformance/dockerd-client.ts'
import { forgeTar } from '../../src/conformance/forge-tar.ts'
import { amount, failWith, tell } from '../support/campaign.ts'
import { type DaemonProcess, useDaemons } from '../support/daemon-process.ts'
import { withFault } from '../support/fault-injection.ts'
import { useLoopFilesystem } from '../support/loop-filesystem.ts'
import { randomFrom } from '../support/random-from.ts'

const run = promisify(execFile)

/** How many faults are tried; all that there are, if it is more than those. */
const FAULTS = amount('STOWAGE_SYSTEM_FAULTS', 25)
const SEED = amount('STOWAGE_SEED', Date.now() % 2 ** 31)

/** One fault to see again: `Create a volume/mkdir/EIO`. */
const AGAIN = process.env.STOWAGE_FAULT

const ERRORS = ['EIO', 'ENOSPC', 'EROFS', 'EMFILE', 'EACCES']

/** What operations do to the disk, and Node survives the failure of. */
const CALLS: readonly string[] = `
  mkdir rename fsync fdatasync openat unlink rmdir symlink chmod lchown mount umount2
  statx getdents64 utimensat fchmod fchown
`
  .trim()
  .split(/\s+/)

interface Operation {
  readonly does: string
  readonly first?: (daemon: DaemonProcess) => Promise<unknown>
  readonly act: (daemon: DaemonProcess) => Promise<unknown>
}

const volumeCall = (method: string) => (daemon: DaemonProcess) =>
  daemon.docker.call(`VolumeDriver.${method}`, {
    Name: 'one',
    ID: 'somebody',
    Opts: { ro: '' },
  })

const layer =
  (method: string, ID = 'two', Parent = 'base') =>
  (daemon: DaemonProcess) =>
    daemon.docker.call(`GraphDriver.${method}`, { ID, Parent })

const tar = forgeTar({ name: 'file', content: 'something' })
const apply = ({ docker }: DaemonProcess) =>
  docker.applyDiff('two', 'base', tar)

const all =
  (...tasks: readonly ((daemon: DaemonProcess) => Promise<unknown>)[]) =>
  async (daemon: DaemonProcess): Promise<void> => {
    for (const task of tasks) await task(daemon)
  }

const OPERATIONS: readonly Operation[] = [
  { does: 'Create a volume', act: volumeCall('Create') },
  { does: 'Mount', first: volumeCall('Create'), act: volumeCall('Mount') },
  {
    does: 'Unmount',
    first: all(volumeCall('Create'), volumeCall('Mount')),
    act: volumeCall('Unmount'),
  },
  {
    does: 'Remove a volume',
    first: volumeCall('Create'),
    act: volumeCall('Remove'),
  },
  { does: 'Create a layer', act: layer('Create') },
  { does: 'ApplyDiff', first: layer('Create'), act: apply },
  { does: 'Get', first: all(layer('Create'), apply), act: layer('Get') },
  { does: 'Put', first: all(layer('Create'), layer('Get')), act: layer('Put') },
  {
    does: 'Changes',
    first: all(layer('Create'), apply),
    act: layer('Changes'),
  },
  {
    does: 'Remove a layer',
    first: all(layer('Create'), apply),
    act: layer('Remove'),
  },
]

describe('A daemon whose system calls fail', function () {
  needs('root', 'strace', 'overlay')
  this.timeout(120_000 + FAULTS * 5_000)
  const place = useDaemons()

  it('says what failed, goes on, and can do it when the fault is gone', async () => {
    const daemon = await place.start()
    await begin(daemon)
    let failed = 0
    let done = 0
    for (const { operation, call, error } of faults()) {
      try {
        const message = await tryWithFault(daemon, operation, { call, error })
        if (message !== undefined) failed++
        done++
      } catch (cause) {
        failWith(`STOWAGE_FAULT="${operation.does}/${call}/${error}"`, cause)
      }
    }
    await daemon.docker.call('GraphDriver.Cleanup', {})
    expect(await daemon.stop()).to.include({ code: 0 })
    tell(
      'Faults',
      `${done} faults of ${CALLS.length} system calls, ${failed} told to the caller`,
    )
  })
})

interface Trial {
  readonly operation: Operation
  readonly call: string
  readonly error: string
}

function faults(): readonly Trial[] {
  const every = OPERATIONS.flatMap((operation) =>
    CALLS.flatMap((call) =>
      ERRORS.map((error) => ({ operation, call, error })),
    ),
  )
  if (AGAIN !== undefined) {
    return every.filter(
      ({ operation, call, error }) =>
        `${operation.does}/${call}/${error}` === AGAIN,
    )
  }
  const random = randomFrom(SEED)
  while (every.length > FAULTS) every.splice(random(every.length), 1)
  return every
}

async function begin(daemon: DaemonProcess): Promise<void> {
  const { docker } = daemon
  const Home = join(dirname(daemon.dataRoot), 'home')
  await docker.call('GraphDriver.Init', { Home })
  await docker.call('GraphDriver.Create', { ID: 'base' })
  await docker.applyDiff(
    'base',
    '',
    forgeTar({ name: 'kept', content: 'kept' }),
  )
  await docker.call('VolumeDriver.Create', { Name: 'kept', Opts: {} })
}

/** Answers with what the caller was told, if the fault was any of its business. */
async function tryWithFault(
  daemon: DaemonProcess,
  { first, act }: Operation,
  { call, error }: { readonly call: string; readonly error: string },
): Promise<string | undefined> {
  await first?.(daemon)
  const fault = { call, fate: `error=${error}` }
  const message = await withFault(daemon.pid, fault, () =>
    failureOf(act(daemon)),
  )
  if (message !== undefined) expect(message).to.match(/\w+ \w+/)
  await isAsBefore(daemon)
  // Whatever it said, what was asked for can be had now, and then be taken away.
  if (message !== undefined) await redo(daemon, act)
  await clear(daemon)
  return message
}

/** A layer whose tar failed half-way must be removed first, as Docker does. */
async function redo(
  daemon: DaemonProcess,
  act: Operation['act'],
): Promise<void> {
  if (act === apply) {
    await layer('Remove')(daemon)
    await layer('Create')(daemon)
  }
  await act(daemon)
}

async function clear(daemon: DaemonProcess): Promise<void> {
  await volumeCall('Remove')(daemon)
  await layer('Remove')(daemon)
}

async function failureOf(act: Promise<unknown>): Promise<string | undefined> {
  try {
    await act
    return undefined
  } catch (error) {
    if (error instanceof PluginFailure) return error.message
    throw error
  }
}

/** What `VolumeDriver.Get` says is wrong with a volume. */
function problemOf(volume: unknown): string | undefined {
  return (volume as { Status: { problem?: string } }).Status.problem
}

async function isAsBefore({ docker }: DaemonProcess): Promise<void> {
  const { Volume } = await docker.call('VolumeDriver.Get', { Name: 'kept' })
  expect(problemOf(Volume)).to.equal(undefined)
  const { Dir } = await docker.call('GraphDriver.Get', { ID: 'base' })
  expect(await fs.readFile(join(String(Dir), 'kept'), 'utf8')).to.equal('kept')
  await docker.call('GraphDriver.Put', { ID: 'base' })
}

describe('A daemon on a disk that is small', function () {
  needs('root', 'overlay')
  this.timeout(60_000)
  const disk = useLoopFilesystem('ext4', '64M')
  const place = useDaemons(() => disk.path)

  /** Fills the disk by `fill`, and expects refusals, no harm, and recovery. */
  const survives = async (
    fill: (directory: string) => Promise<void>,
    pattern: RegExp,
  ): Promise<number> => {
    const daemon = await place.start()
    await begin(daemon)
    const filling = join(place.path, 'filling')
    await fs.mkdir(filling)
    await fill(filling)
    let refused = 0
    for (const { does, first, act } of OPERATIONS) {
      const message = await failureOf(
        all(...(first ? [first] : []), act)(daemon),
      )
      if (message === undefined) continue
      refused++
      expect(message, does).to.match(pattern)
    }
    await isAsBefore(daemon)
    await daemon.stop('SIGKILL')
    const again = await place.start()
    await isAsBefore(again)
    await fs.rm(filling, { recursive: true })
    await clear(again)
    for (const { first, act } of OPERATIONS) {
      await all(...(first ? [first] : []), act)(again)
      await clear(again)
    }
    await again.docker.call('GraphDriver.Cleanup', {})
    expect(await again.stop()).to.include({ code: 0 })
    return refused
  }

  it('refuses what finds no room, loses nothing, and goes on when there is', async () => {
    const refused = await survives(async (directory) => {
      for (let size = 2 ** 24; size >= 1024;) {
        try {
          await fs.writeFile(
            join(directory, `${size}-${Math.random()}`),
            Buffer.alloc(size),
          )
        } catch {
          size /= 2
        }
      }
    }, /ENOSPC|no space/i)
    tell(
      'Faults, a full disk',
      `${refused} of ${OPERATIONS.length} operations refused, nothing lost`,
    )
  })

  it('refuses what finds no inode, loses nothing, and goes on when there are', async () => {
    const refused = await survives(async (directory) => {
      for (let at = 0; ; at++) {
        try {
          await fs.writeFile(join(directory, String(at)), '')
        } catch {
          return
        }
      }
    }, /ENOSPC|no space/i)
    tell(
      'Faults, no inodes',
      `${refused} of ${OPERATIONS.length} operations refused, nothing lost`,
    )
  })
})

describe('A daemon on a disk that fails', function () {
  needs('root', 'overlay')
  this.timeout(60_000)
  const disk = useLoopFilesystem('ext4', '64M')
  const place = useDaemons(() => disk.path)

  it('refuses to change what became read-only, and has all of it after a repair', async () => {
    const daemon = await place.start()
    await begin(daemon)
    // What was applied is on disk when Docker says that it goes.
    await daemon.docker.call('GraphDriver.Cleanup', {})
    // As ext4 does it to itself when it finds that the disk has failed.
    await run('mount', ['-o', 'remount,abort', disk.path])
    for (const act of [volumeCall('Create'), layer('Create')]) {
      expect(await failureOf(act(daemon))).to.match(/EROFS|EIO|read-only/)
    }
    const { Volume } = await daemon.docker.call('VolumeDriver.Get', {
      Name: 'kept',
    })
    expect(problemOf(Volume)).to.equal(undefined)
    await daemon.stop('SIGKILL')

    // A copy, for whoever has the old mount in a namespace of his keeps it alive.
    const image = join(dirname(disk.path), 'repaired')
    await run('umount', [disk.path])
    await fs.copyFile(join(dirname(disk.path), 'image'), image)
    await run('e2fsck', ['-fy', image]).catch(corrected)
    await run('mount', ['-o', 'loop', image, disk.path])
    const again = await place.start()
    await isAsBefore(again)
    await all(volumeCall('Create'), layer('Create'))(again)
    await clear(again)
    expect(await again.stop()).to.include({ code: 0 })
    tell('Faults, a failed disk', 'changes refused, all there after a repair')
  })
})

/** e2fsck(8) says 1 when it has corrected errors. */
function corrected(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 1))
    throw error
}

describe('A daemon with a disk that is slow', function () {
  needs('root', 'strace', 'overlay')
  this.timeout(60_000)
  const place = useDaemons()

  it('answers those who need no disk meanwhile', async () => {
    const daemon = await place.start()
    await begin(daemon)
    const waits: number[] = []
    const slow = { call: 'fsync,fdatasync', fate: 'delay_enter=500000' }
    await withFault(daemon.pid, slow, async () => {
      const creation = volumeCall('Create')(daemon)
      for (let call = 0; call < 10; call++) {
        const began = performance.now()
        await daemon.docker.call('VolumeDriver.Get', { Name: 'kept' })
        await daemon.docker.call('GraphDriver.Exists', { ID: 'base' })
        waits.push(performance.now() - began)
        await sleep(20)
      }
      await creation
    })
    const [median = Infinity] = waits.toSorted((a, b) => a - b).slice(5)
    expect(median).to.be.below(400)
    expect(await daemon.stop()).to.include({ code: 0 })
    tell(
      'Faults, a slow disk',
      `fsync takes 500 ms, others wait ${Math.round(median)} ms`,
    )
  })
})

describe('A daemon whose records were damaged', function () {
  needs('root')
  this.timeout(60_000)
  const place = useDaemons()

  /** What becomes of volume `one` when its record is spoiled while nobody runs. */
  const spoiled = async (
    spoil: (record: string, other: string) => Promise<void>,
  ) => {
    const first = await place.start({
      settings: { STOWAGE_IMPLEMENTS: 'volume' },
    })
    for (const Name of ['one', 'two']) {
      await first.docker.call('VolumeDriver.Create', { Name, Opts: {} })
      const { Mountpoint } = await first.docker.call('VolumeDriver.Mount', {
        Name,
        ID: 'i',
      })
      await fs.writeFile(join(String(Mountpoint), 'file'), Name)
      await first.docker.call('VolumeDriver.Unmount', { Name, ID: 'i' })
    }
    await first.stop('SIGKILL')
    const record = (name: string) =>
      join(first.dataRoot, 'volumes/default/volumes', name, 'volume.json')
    const good = await fs.readFile(record('one'))
    await fs.rm(`${record('one')}.copy`)
    await spoil(record('one'), record('two'))

    const daemon = await place.start({
      settings: { STOWAGE_IMPLEMENTS: 'volume' },
    })
    const { docker } = daemon
    const { Volume: two } = await docker.call('VolumeDriver.Get', {
      Name: 'two',
    })
    const { Volume: one } = await docker.call('VolumeDriver.Get', {
      Name: 'one',
    })
    const problem = problemOf(one)
    expect(problem).to.be.a('string').not.empty
    const refused = await failureOf(
      docker.call('VolumeDriver.Mount', { Name: 'one', ID: 'i' }),
    )
    expect(refused).to.be.a('string').not.empty
    const again = await failureOf(
      docker.call('VolumeDriver.Create', { Name: 'one', Opts: {} }),
    )
    expect(again).to.be.a('string').not.empty
    await daemon.stop()

    // It says which record it is, and what is there is as it was.
    expect(problem).to.include('volumes/one')
    await fs.writeFile(record('one'), good)
    const healed = await place.start({
      settings: { STOWAGE_IMPLEMENTS: 'volume' },
    })
    const { Mountpoint } = await healed.docker.call('VolumeDriver.Mount', {
      Name: 'one',
      ID: 'i',
    })
    expect(
      await fs.readFile(join(String(Mountpoint), 'file'), 'utf8'),
    ).to.equal('one')
    expect(await healed.stop()).to.include({ code: 0 })
    return two
  }

  it('says of a record that was cut which it is, and changes nothing', async () => {
    const two = await spoiled(async (record) => {
      await fs.truncate(record, (await fs.stat(record)).size >> 1)
    })
    expect(problemOf(two)).to.equal(undefined)
  })

  it('says of a record that was emptied which it is, and changes nothing', async () => {
    const two = await spoiled((record) => fs.truncate(record, 0))
    expect(problemOf(two)).to.equal(undefined)
  })

  it('says of a record that is of another volume which it is, and changes nothing', async () => {
    await spoiled((record, other) => fs.copyFile(other, record))
  })
})

describe('A daemon whose data root vanishes', () => {
  needs('root')
  const place = useDaemons()

  it('refuses to act on what is not there, and has all of it when it is back', async () => {
    const settings = { STOWAGE_IMPLEMENTS: 'volume' }
    const daemon = await place.start({ settings })
    await daemon.docker.call('VolumeDriver.Create', { Name: 'kept', Opts: {} })
    const away = `${daemon.dataRoot}-away`
    await fs.rename(daemon.dataRoot, away)
    for (const method of ['Create', 'Mount']) {
      const Name = method === 'Create' ? 'one' : 'kept'
      const call = daemon.docker.call(`VolumeDriver.${method}`, {
        Name,
        ID: 'i',
        Opts: {},
      })
      expect(await failureOf(call), method).to.be.a('string').not.empty
    }
    await fs.rm(daemon.dataRoot, { recursive: true, force: true })
    await fs.rename(away, daemon.dataRoot)
    await daemon.docker.call('VolumeDriver.Mount', { Name: 'kept', ID: 'i' })
    const { Volume } = await daemon.docker.call('VolumeDriver.Get', {
      Name: 'one',
    })
    expect(Volume).to.equal(null)
    expect(await daemon.stop()).to.include({ code: 0 })
    tell('Faults, a vanished data root', 'refused while away, whole when back')
  })
})

/** Every reading is ten years from the one before. */
const JUMPING = `
  const now = Date.now
  let calls = 0
  Date.now = () => now() + (calls++ % 3 - 1) * 3e11
`

describe('A daemon whose clock jumps', function () {
  needs('root', 'overlay')
  this.timeout(60_000)
  const place = useDaemons()

  it('does all that it did before, on whatever date', async () => {
    const daemon = await place.start({
      settings: {
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(JUMPING)}`,
      },
    })
    await begin(daemon)
    for (let round = 0; round < 5; round++) {
      for (const { first, act } of OPERATIONS) {
        await all(...(first ? [first] : []), act)(daemon)
        await clear(daemon)
      }
    }
    await isAsBefore(daemon)
    await daemon.docker.call('GraphDriver.Cleanup', {})
    expect(await daemon.stop()).to.include({ code: 0 })
    tell(
      'Faults, a clock that jumps',
      `${5 * OPERATIONS.length} operations between 20 years`,
    )
  })
})
