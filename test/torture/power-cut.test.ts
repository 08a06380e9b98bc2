import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { isErrno } from '../../src/base/errors.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { forgeTar } from '../../src/conformance/forge-tar.ts'
import { unmount } from '../../src/linux/mount.ts'
import { mountsBelow } from '../../src/linux/mountinfo.ts'
import { amount, failWith, tell } from '../support/campaign.ts'
import { DaemonProcess } from '../support/daemon-process.ts'
import { useLoopFilesystem } from '../support/loop-filesystem.ts'
import { type Random, randomFrom } from '../support/random-from.ts'
import { StepKiller } from '../support/step-killer.ts'

const run = promisify(execFile)

/** How often the power goes, on each filesystem. */
const CUTS = amount('STOWAGE_CUTS', 1)
const SEED = amount('STOWAGE_SEED', Date.now() % 2 ** 31)

/** Milliseconds of work before a cut, at most. */
const LONGEST = 1500

const MAKE = {
  ext4: ['mkfs.ext4', '-q', '-F'],
  btrfs: ['mkfs.btrfs', '-q', '-f'],
} as const

/** Gives a process a boot of its own, and everything that it finds one that is over. */
const BOOT = [
  'unshare',
  '--mount',
  'sh',
  '-c',
  'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"',
]

/** What was last answered about a volume or a layer. */
interface Known {
  /** Whether it is there, and with which mark; unsure while a call is under way. */
  mark: string | undefined
  isSure: boolean
  /** Whether it was there when Docker last said that it goes. */
  isOld: boolean
}

describeCuts('ext4', 'overlay')
describeCuts('btrfs', 'btrfs')

function describeCuts(kind: keyof typeof MAKE, driver: string): void {
  describe(`A daemon on ${kind} when the power goes`, function () {
    needs('root', 'loop', 'strace', kind, 'xfs', 'overlay')
    this.timeout(60_000 + CUTS * 60_000)
    const keeper = useLoopFilesystem('xfs', '8G')

    const newMachine = async (): Promise<Machine> => {
      const machine = new Machine(keeper.path, driver)
      await run('truncate', ['--size', '512M', machine.image])
      const [program, ...options] = MAKE[kind]
      await run(program, [...options, machine.image])
      return machine
    }

    describe('the moment after', () => {
      let machine: Machine
      let daemon: DaemonProcess
      before(async () => {
        machine = await newMachine()
        daemon = await machine.start()
      })
      after(async () => {
        await daemon.stop('SIGKILL')
        await machine.unplug()
      })
      const powerGoes = async (): Promise<void> => {
        await machine.cut(daemon)
        daemon = await machine.start()
      }

      it('has the files of a volume too that was acknowledged', async () => {
        await changeVolume(daemon, 'new', 'mark')
        await powerGoes()
        expect(await markOfVolume(daemon, 'new')).to.equal('mark')
      })

      it('has the layer that was settled', async () => {
        await changeLayer(daemon, 'settled', 'mark')
        await daemon.docker.call('GraphDriver.Cleanup', {})
        await powerGoes()
        expect(await markOfLayer(daemon, 'settled')).to.equal('mark')
      })

      it('has the volume that was created again, and not what was removed under its name', async () => {
        await changeVolume(daemon, 'other', 'old')
        await changeVolume(daemon, 'other', undefined)
        await changeVolume(daemon, 'again', 'old')
        await fs.writeFile(join(machine.filesOf('again'), 'old'), '')
        // So that nothing else has btrfs commit all in what follows.
        await run('sync', ['--file-system', machine.filesOf('again')])
        await changeVolume(daemon, 'again', undefined)
        await changeVolume(daemon, 'again', 'new')
        await powerGoes()
        expect(await markOfVolume(daemon, 'again')).to.equal('new')
        expect(await fs.readdir(machine.filesOf('again'))).to.deep.equal([])
      })

      it('has nothing of a volume of which only the record is on disk', async () => {
        const after = /^fsync\(\d+<.*volume\.json>/
        const killer = await StepKiller.attach(daemon.pid, { after })
        await changeVolume(daemon, 'half', 'mark').catch(() => undefined)
        await killer.detach()
        expect(killer.killed).to.equal(true)
        await powerGoes()
        expect(await markOfVolume(daemon, 'half')).to.equal(undefined)
      })
    })

    it(`has every volume that it acknowledged, and no layer that is not whole, ${CUTS} times`, async () => {
      const machine = await newMachine()
      const known = new Map<string, Known>()
      const totals = { answers: 0, condemned: 0 }
      try {
        for (let cut = 0; cut < CUTS; cut++) {
          const seed = SEED + cut
          const daemon = await machine.start()
          try {
            totals.condemned += await compare(daemon, known)
            totals.answers += await machine.cutPower(
              daemon,
              known,
              randomFrom(seed),
            )
          } catch (error) {
            failWith(`STOWAGE_CUTS=${cut + 1} STOWAGE_SEED=${SEED}`, error)
          }
        }
        const daemon = await machine.start()
        totals.condemned += await compare(daemon, known)
        expect(await daemon.stop()).to.include({ code: 0 })
      } finally {
        await machine.unplug()
      }
      tell(
        `Power cuts, ${kind}`,
        `${CUTS} after ${totals.answers} answers, nothing lost, ${totals.condemned} fresh layers to be pulled again`,
      )
    })
  })
}

/** A disk in a file, which a daemon runs on, and whose power can be cut. */
class Machine {
  readonly #directory: string
  readonly #driver: string

  constructor(directory: string, driver: string) {
    this.#directory = directory
    this.#driver = driver
  }

  get image(): string {
    return join(this.#directory, 'disk')
  }

  get #mountpoint(): string {
    return join(this.#directory, 'mounted')
  }

  /** Where the files of a volume are. */
  filesOf(volume: string): string {
    const volumes = join(this.#mountpoint, 'root/volumes/default/volumes')
    return join(volumes, volume, 'data')
  }

  async start(): Promise<DaemonProcess> {
    await fs.mkdir(this.#mountpoint, { recursive: true })
    await run('mount', ['-o', 'loop', this.image, this.#mountpoint])
    const boot = join(this.#directory, 'boot')
    await fs.writeFile(boot, `${randomUUID()}\n`)
    const place = {
      dataRoot: join(this.#mountpoint, 'root'),
      socketPath: join(this.#directory, 'run/stowage.sock'),
    }
    const daemon = await DaemonProcess.spawn(place, {
      through: [...BOOT, boot],
      settings: { STOWAGE_GRAPH_DRIVER: this.#driver },
    }).ready()
    // Names alone are known before, and a removal may be back that had its name gone.
    await daemon.logged('Volume store online')
    const Home = join(this.#mountpoint, 'home')
    await daemon.docker.call('GraphDriver.Init', { Home })
    return daemon
  }

  /** Copies the disk as it is at one moment, and goes on with the copy. */
  async cut(daemon: DaemonProcess): Promise<void> {
    const copy = join(this.#directory, 'copy')
    await run('cp', ['--reflink=always', this.image, copy])
    await daemon.stop('SIGKILL')
    await this.unplug()
    await fs.rename(copy, this.image)
  }

  /** Lets some work until the power is cut. */
  async cutPower(
    daemon: DaemonProcess,
    known: Map<string, Known>,
    random: Random,
  ): Promise<number> {
    const work = { isOver: false }
    const workers = Array.from({ length: 6 }, (_, at) =>
      live(daemon, known, { name: `n${at}`, random, work }),
    )
    // One that fails is heard of when all are waited for.
    for (const worker of workers) worker.catch(() => undefined)
    await sleep(random(LONGEST))
    // What is answered from here on may or may not be on the copy.
    work.isOver = true
    await this.cut(daemon)
    const answers = await Promise.all(workers)
    return answers.reduce((sum, one) => sum + one, 0)
  }

  async unplug(): Promise<void> {
    for (const path of await mountsBelow(this.#mountpoint)) {
      await unmount(path)
    }
    await sleep(50)
  }
}

interface Worker {
  readonly name: string
  readonly random: Random
  readonly work: { readonly isOver: boolean }
}

/** Does one thing after the other to a volume and a layer until the power goes. */
async function live(
  daemon: DaemonProcess,
  known: Map<string, Known>,
  { name, random, work }: Worker,
): Promise<number> {
  for (let answers = 0; ; answers++) {
    const kind = random(3) === 0 ? 'layer' : 'volume'
    const subject = `${kind} ${name}`
    const before = known.get(subject)
    const mark =
      before?.mark === undefined ? String(random(2 ** 30)) : undefined
    known.set(subject, { mark, isSure: false, isOld: false })
    try {
      if (kind === 'volume') await changeVolume(daemon, name, mark)
      else await changeLayer(daemon, name, mark)
      if (work.isOver) return answers
      known.set(subject, { mark, isSure: true, isOld: false })
      if (random(20) === 0) await settle(daemon, known, work)
    } catch (error) {
      if (isErrno(error, 'ECONNRESET', 'ECONNREFUSED', 'EPIPE')) return answers
      throw error
    }
  }
}

async function changeVolume(
  { docker }: DaemonProcess,
  Name: string,
  mark: string | undefined,
): Promise<void> {
  if (mark === undefined) await docker.call('VolumeDriver.Remove', { Name })
  else
    await docker.call('VolumeDriver.Create', {
      Name,
      Opts: { 'label.mark': mark },
    })
}

async function changeLayer(
  { docker }: DaemonProcess,
  ID: string,
  mark: string | undefined,
): Promise<void> {
  if (mark === undefined) {
    await docker.call('GraphDriver.Remove', { ID })
    return
  }
  await docker.call('GraphDriver.Remove', { ID })
  await docker.call('GraphDriver.Create', { ID, Parent: '' })
  await docker.applyDiff(
    ID,
    '',
    forgeTar({ name: 'mark', content: content(mark) }),
  )
}

/** Docker goes: what it was told is on disk, from then on. */
async function settle(
  { docker }: DaemonProcess,
  known: ReadonlyMap<string, Known>,
  work: Worker['work'],
): Promise<void> {
  const sure = [...known.values()].filter(({ isSure }) => isSure)
  await docker.call('GraphDriver.Cleanup', {})
  // Answered late, it may not be on the copy.
  if (work.isOver) return
  for (const one of sure) one.isOld = true
}

/** Larger than what a filesystem keeps beside an inode. */
function content(mark: string): string {
  return `${mark}\n`.repeat(2000)
}

/** Compares what the daemon has with what it answered; counts layers it took back. */
async function compare(
  daemon: DaemonProcess,
  known: Map<string, Known>,
): Promise<number> {
  let condemned = 0
  for (const [subject, { mark, isSure, isOld }] of known) {
    const [kind = '', name = ''] = subject.split(' ')
    const found =
      kind === 'volume'
        ? await markOfVolume(daemon, name)
        : await markOfLayer(daemon, name)
    const isLayer = kind === 'layer'
    if (isSure && (!isLayer || isOld)) {
      // What was removed may come back: nobody asks for it any more.
      if (mark !== undefined) expect(found, subject).to.equal(mark)
    } else if (isLayer && found === undefined && mark !== undefined) {
      condemned++
    }
    known.set(subject, { mark: found, isSure: true, isOld: true })
  }
  return condemned
}

async function markOfVolume(
  { docker }: DaemonProcess,
  Name: string,
): Promise<string | undefined> {
  const { Volume } = await docker.call('VolumeDriver.Get', { Name })
  if (Volume === null) return undefined
  const { Status: status } = Volume as {
    Status: { labels: Record<string, string>; problem?: string }
  }
  expect(status.problem, Name).to.equal(undefined)
  const { Mountpoint: path } = await docker.call('VolumeDriver.Mount', {
    Name,
    ID: 'look',
  })
  await fs.readdir(String(path))
  await docker.call('VolumeDriver.Unmount', { Name, ID: 'look' })
  return status.labels.mark
}

/** The mark of a layer that is whole; one that is not must not be shown. */
async function markOfLayer(
  { docker }: DaemonProcess,
  ID: string,
): Promise<string | undefined> {
  const { Exists: exists } = await docker.call('GraphDriver.Exists', { ID })
  if (exists !== true) return undefined
  const { Dir: path } = await docker.call('GraphDriver.Get', { ID })
  const names = await fs.readdir(String(path))
  const text = names.includes('mark')
    ? await fs.readFile(join(String(path), 'mark'), 'utf8')
    : undefined
  await docker.call('GraphDriver.Put', { ID })
  if (text === undefined) return undefined
  const [mark = ''] = text.split('\n')
  expect(text, ID).to.equal(content(mark))
  return mark
}
