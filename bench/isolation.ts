import { DockerdClient } from '../src/conformance/dockerd-client.ts'
import { PrivateHost } from '../test/support/private-host.ts'
import { serveDirectory } from '../test/support/served-directory.ts'
import { DockerApi } from './docker-api.ts'
import type { Samples } from './row.ts'
import type { Rounds } from './scenario.ts'

const CALLS = 200

/**
 * What others wait for while the server of one volume store is stopped, and a mount
 * of its waits for it: the time that 99 of 100 calls take at most.
 */
export async function benchIsolation(
  samples: Samples,
  { scratch, rounds }: Rounds,
): Promise<void> {
  const host = await PrivateHost.open(scratch)
  const served = await serveDirectory(host.directory, host.entering)
  try {
    await host.startStowage({
      STOWAGE_STORES: `default=local: nas=local:${served.path}/store`,
      STOWAGE_IMPLEMENTS: 'volume',
    })
    await host.startDockerd()
    const plugin = new DockerdClient(host.socket)
    await plugin.call('VolumeDriver.Create', { Name: 'near', Opts: {} })
    const Opts = { store: 'nas' }
    await plugin.call('VolumeDriver.Create', { Name: 'far', Opts })
    using docker = new DockerApi(`${host.directory}/docker.sock`)
    served.hang()
    const stuck = Array.from({ length: 8 }, (_, nth) =>
      plugin
        .call('VolumeDriver.Mount', { Name: 'far', ID: `${nth}` })
        .catch(() => undefined),
    )
    const questions: Readonly<Record<string, () => Promise<unknown>>> = {
      'docker volume ls': () => docker.call('GET', '/volumes'),
      'docker ps': () => docker.call('GET', '/containers/json?all=1'),
      'mount and unmount in another store': async () => {
        const fields = { Name: 'near', ID: 'bench' }
        await plugin.call('VolumeDriver.Mount', fields)
        await plugin.call('VolumeDriver.Unmount', fields)
      },
    }
    for (let round = 0; round < rounds; round++) {
      for (const [name, ask] of Object.entries(questions)) {
        const row = { name: `${name}, p99`, target: 100, unit: 'ms' } as const
        samples.record(row, 'ours', { value: await p99(ask) })
      }
    }
    served.goOn()
    await Promise.all(stuck)
  } finally {
    served.goOn()
    await host.stopDockerd()
    await host.stopStowage()
    await served.close()
    await host.close()
  }
}

async function p99(ask: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let call = 0; call < CALLS; call++) {
    const start = performance.now()
    await ask()
    times.push(performance.now() - start)
  }
  const sorted = times.toSorted((one, other) => one - other)
  return sorted[Math.ceil(CALLS * 0.99) - 1] ?? Infinity
}
