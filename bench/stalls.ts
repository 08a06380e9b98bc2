import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Disk } from './disk.ts'
import { makeManyVolumes, settled } from './many-volumes.ts'
import type { Samples } from './row.ts'
import type { Rounds } from './scenario.ts'
import type { Stalls } from './loop-watch.ts'
import { recordStalls } from './stall-rows.ts'
import { Stowage } from './stowage.ts'

/** How often each call is made, one after the other. */
const CALLS = 10

/** What goes on behind the first answer of a daemon is over by then, in milliseconds. */
const REST = 1000

/** Neither is an option that there is. */
const MANY_OPTIONS = JSON.stringify({
  Name: 'many',
  Opts: Object.fromEntries(
    Array.from({ length: 100_000 }, (_, at) => [`option${at}`, 'x']),
  ),
})
const LONG_OPTION = JSON.stringify({
  Name: 'long',
  Opts: { option: 'x'.repeat(2 << 20) },
})

/**
 * How long the event loop stands still where there are 10,000 volumes: while the
 * daemon starts, and for each call that tells of all of them.
 */
export async function benchStalls(
  samples: Samples,
  { scratch, rounds }: Rounds,
): Promise<void> {
  await using disk = await Disk.make(scratch, 'many-volumes', 'ext4', 2)
  const directory = join(disk.path, 'many')
  await makeManyVolumes(directory)
  const works: Readonly<Record<string, (daemon: Stowage) => Promise<void>>> = {
    'VolumeDriver.List': ({ socket }) =>
      call(socket, 'POST', '/VolumeDriver.List'),
    'volume ls': ({ adminSocket }) => call(adminSocket, 'GET', '/volumes'),
    'volume ls, by label': ({ adminSocket }) =>
      call(adminSocket, 'GET', '/volumes?label=app'),
    metrics: ({ adminSocket }) => call(adminSocket, 'GET', '/metrics'),
    // It is refused, for the time that it would take.
    '100,000 options': ({ socket }) =>
      call(socket, 'POST', '/VolumeDriver.Create', MANY_OPTIONS),
    'an option of 2 MiB': ({ socket }) =>
      call(socket, 'POST', '/VolumeDriver.Create', LONG_OPTION),
  }
  for (let round = 0; round < rounds; round++) {
    recordStalls(samples, 'start', await watched(directory))
    for (const [name, work] of Object.entries(works)) {
      recordStalls(samples, name, await watched(directory, work))
    }
  }
}

/** How the loop of one daemon stood still: from its start on, or for `work` alone. */
async function watched(
  directory: string,
  work?: (daemon: Stowage) => Promise<void>,
): Promise<Stalls> {
  const stallFile = join(directory, 'stalls')
  {
    await using daemon = await Stowage.start({ directory, stallFile })
    await settled(daemon)
    await sleep(REST)
    if (work !== undefined) {
      await daemon.forgetStalls()
      for (let nth = 0; nth < CALLS; nth++) await work(daemon)
    }
  }
  return JSON.parse(await fs.readFile(stallFile, 'utf8'))
}

async function call(
  socketPath: string,
  method: string,
  path: string,
  body?: string,
): Promise<void> {
  const asked = request({ socketPath, method, path, agent: false })
  asked.end(body ?? (method === 'POST' ? '{}' : undefined))
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  const isExpected = response.statusCode === (body === undefined ? 200 : 400)
  if (!isExpected) throw new Error(`${path}: ${response.statusCode}`)
  response.resume()
  await once(response, 'end')
}
