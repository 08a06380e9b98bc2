import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { PrivateHost } from '../test/support/private-host.ts'
import { Disk } from './disk.ts'
import { DockerApi } from './docker-api.ts'
import { peerProgram, whyNoPeer } from './peer.ts'
import type { Row, Samples } from './row.ts'
import type { Rounds } from './scenario.ts'
import { seconds, takeTurns, type Turn } from './turns.ts'

const PAIRS = 50

/** As Docker knows the plugin that does nothing. */
const NOTHING = 'nothing'

/**
 * `docker volume create` and `rm` by our driver and by Docker's `local`, on the
 * same dockerd, through its API on one connection.
 */
export async function benchVolumes(
  samples: Samples,
  { scratch, rounds }: Rounds,
): Promise<void> {
  await using disk = await Disk.make(scratch, 'volumes', 'ext4', 2)
  const host = await PrivateHost.open(disk.path)
  try {
    await host.startStowage({ STOWAGE_IMPLEMENTS: 'volume' })
    await host.startDockerd()
    const socket = `${host.directory}/docker.sock`
    using api = new DockerApi(socket)
    using many = new DockerApi(socket, 32)
    const drivers = { ours: 'stowage', theirs: 'local' }
    await takeTurns(drivers, rounds, samples, () => [
      oneAfterTheOther(api, { name: 'volume create and rm', target: 1.3 }),
      atOnce(many),
      countFsyncs(api, host),
    ])
    if ((await whyNoPeer()) !== undefined) return
    await using _ = await DoesNothing.start(host)
    await takeTurns({ ...drivers, ours: NOTHING }, rounds, samples, () => [
      oneAfterTheOther(api, { name: 'by a plugin that does nothing' }),
    ])
  } finally {
    await host.close()
  }
}

/** A plugin in Go that answers from memory: the bound for any plugin. */
class DoesNothing implements AsyncDisposable {
  readonly #process: ChildProcess

  private constructor(process: ChildProcess) {
    this.#process = process
  }

  static async start(host: PrivateHost): Promise<DoesNothing> {
    const socket = join(dirname(host.socket), `${NOTHING}.sock`)
    const process = spawn(await peerProgram(), ['nothing', '-socket', socket], {
      stdio: 'inherit',
    })
    return new DoesNothing(process)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill()
    await once(this.#process, 'exit')
  }
}

function oneAfterTheOther(api: DockerApi, row: Row): Turn<string> {
  return {
    row,
    async play(driver) {
      const taken = await seconds(() => createAndRemove(api, driver, PAIRS))
      return { value: taken.value / PAIRS }
    },
  }
}

function atOnce(api: DockerApi): Turn<string> {
  const callers = Array.from({ length: 32 })
  return {
    row: { name: 'volume create and rm, 32 at once', target: 1.3 },
    async play(driver) {
      const taken = await seconds(() =>
        Promise.all(callers.map(() => createAndRemove(api, driver, 4))),
      )
      return { value: taken.value / (32 * 4) }
    },
  }
}

let made = 0

async function createAndRemove(
  api: DockerApi,
  driver: string,
  pairs: number,
): Promise<void> {
  for (let pair = 0; pair < pairs; pair++) {
    const name = `bench-${made++}`
    await api.call('POST', '/volumes/create', { Name: name, Driver: driver })
    await api.call('DELETE', `/volumes/${name}`)
  }
}

/** How often anyone waited for the disk; these waits, not we, take the time there. */
function countFsyncs(api: DockerApi, host: PrivateHost): Turn<string> {
  return {
    row: { name: 'fsyncs of a volume create and rm', unit: 'calls' },
    async play(driver) {
      const counter = spawn('strace', [
        '--follow-forks',
        '--trace=fsync,fdatasync,sync,syncfs',
        `--attach=${host.stowagePid}`,
        `--attach=${host.dockerdPid}`,
      ])
      const trace = text(counter.stderr)
      await sleep(500)
      await createAndRemove(api, driver, 10)
      counter.kill('SIGINT')
      await once(counter, 'exit')
      const waits = (await trace).matchAll(/sync(?:fs)?\(/g)
      return { value: [...waits].length / 10 }
    },
  }
}
