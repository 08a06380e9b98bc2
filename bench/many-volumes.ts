import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Stowage } from './stowage.ts'

const VOLUMES = 10_000

/**
 * 10,000 volumes for a daemon with its data in `directory`, as a store leaves them,
 * without the time that it would take to ask for each.
 */
export async function makeManyVolumes(directory: string): Promise<void> {
  const volumes = join(directory, 'data/volumes/default/volumes')
  await fs.mkdir(volumes, { recursive: true })
  for (let nth = 0; nth < VOLUMES; nth++) {
    const name = `volume-${nth}`
    await fs.mkdir(join(volumes, name, 'data'), { recursive: true })
    const record = {
      format: 1,
      name,
      createdAt: '2024-01-01T00:00:00.000Z',
      options: nth % 2 === 0 ? {} : { 'label.app': 'db' },
    }
    const path = join(volumes, name, 'volume.json')
    await fs.writeFile(path, JSON.stringify(record))
  }
}

/** Settles when the daemon tells all that there is to know of any of them. */
export async function settled({ socket }: Stowage): Promise<void> {
  const call = request({
    socketPath: socket,
    method: 'POST',
    path: '/VolumeDriver.Get',
    agent: false,
  })
  call.end(JSON.stringify({ Name: `volume-${VOLUMES - 1}` }))
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  const answer = await text(response)
  if (!answer.includes('"Status"')) throw new Error(answer)
}
