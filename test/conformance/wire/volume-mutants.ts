import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Call,
  fieldsOf,
  type Forward,
  json,
  type Mutant,
  type Mutation,
  mutationsOf,
  plain,
  type Reply,
} from './mutant-proxy.ts'

/** A planted fault, and the promise that must be found broken for it. */
export interface PlantedFault {
  readonly finds: string
  readonly plant: () => Mutant
}

const { after, instead } = mutationsOf('VolumeDriver')

/** Changes how failures are told. */
const failing =
  (change: (reply: Reply) => Reply): Mutation =>
  async (call, forward) => {
    const reply = await forward(call)
    return reply.status >= 400 ? change(reply) : reply
  }

/** Fields of the volume that Get shows, changed. */
const shows = (changed: object): Mutation =>
  after('Get', (reply) => {
    const { Volume } = fieldsOf(reply)
    if (Volume === null) return reply
    return json(200, { Volume: { ...Volume, ...changed } })
  })

/** Unmounts for real, as far as anybody can see: the files are gone. */
async function takeAway(call: Call, forward: Forward): Promise<void> {
  const reply = await forward({ ...call, url: '/VolumeDriver.Path' })
  const { Mountpoint } = fieldsOf(reply)
  await fs.rm(Mountpoint, { recursive: true })
}

export const VOLUME_FAULTS: Readonly<Record<string, PlantedFault>> = {
  'errors as plain text': {
    finds: 'tells what fails in JSON with Err, which Docker shows',
    plant: plain(failing(({ status }) => ({ status, body: 'no way' }))),
  },
  'errors with status 200': {
    finds: 'tells a failure by another status than 200',
    plant: plain(failing(({ body }) => ({ status: 200, body }))),
  },
  'errors with status 404': {
    finds:
      'never says 404 for what does not exist: Docker takes that for a missing method',
    plant: plain(failing(({ body }) => ({ status: 404, body }))),
  },
  'success without a body': {
    finds: 'answers every success with 200 and a JSON object',
    plant: plain(after('Capabilities', () => ({ status: 200, body: '' }))),
  },
  'success with status 201': {
    finds: 'answers every success with 200 and a JSON object',
    plant: plain(after('List', ({ body }) => ({ status: 201, body }))),
  },
  'an activation that names nothing': {
    finds: 'names its interfaces when it is activated without a body',
    plant: plain(async (call, forward) =>
      call.method === 'Plugin.Activate'
        ? json(200, { Implements: [] })
        : forward(call),
    ),
  },
  'idle connections that are closed': {
    finds: 'keeps idle connections open: Docker uses them again',
    plant: () => ({
      mutation: (call, forward) => forward(call),
      keepAlive: 50,
    }),
  },
  'calls without a body that are obeyed': {
    finds: 'acts on no call without a body: Docker repeats lost ones so',
    plant: plain(async (call, forward) =>
      call.body.length === 0 && call.method === 'VolumeDriver.Remove'
        ? json(200, {})
        : forward(call),
    ),
  },
  'a Create that fails when it is repeated': {
    finds: 'takes a Create that Docker repeats for done',
    plant: () => {
      const created = new Set<unknown>()
      return {
        mutation: instead('Create', async (call, forward) => {
          const { Name } = call.fields
          if (created.has(Name)) return json(500, { Err: 'already exists' })
          created.add(Name)
          return forward(call)
        }),
      }
    },
  },
  'unknown options that are swallowed': {
    finds: 'refuses an option that it does not know',
    plant: plain(
      instead('Create', (call, forward) =>
        forward({
          ...call,
          body: Buffer.from(JSON.stringify({ Name: call.fields.Name })),
        }),
      ),
    ),
  },
  'a volume left by a Create that failed': {
    finds: 'leaves nothing of a volume that it refused to create',
    plant: plain(
      instead('Create', async (call, forward) => {
        const reply = await forward(call)
        const body = Buffer.from(JSON.stringify({ Name: call.fields.Name }))
        if (reply.status !== 200) await forward({ ...call, body })
        return reply
      }),
    ),
  },
  'names that lead elsewhere': {
    finds: 'refuses names that lead elsewhere',
    plant: plain(
      instead('Create', async (call, forward) =>
        call.fields.Name?.includes('/') ? json(200, {}) : forward(call),
      ),
    ),
  },
  'another name in Get': {
    finds: 'calls a volume in Get exactly what it was asked for',
    plant: plain(shows({ Name: 'something else' })),
  },
  'an empty CreatedAt': {
    finds:
      'dates a volume as RFC 3339 has it, or not at all: Docker reads no other',
    plant: plain(shows({ CreatedAt: '' })),
  },
  'a Status that is a text': {
    finds: 'shows Status as an object, or not at all',
    plant: plain(shows({ Status: 'fine' })),
  },
  'a Get that invents volumes': {
    finds: 'knows no volume that it was not asked to create',
    plant: plain(
      instead('Get', async (call, forward) => {
        const reply = await forward(call)
        const { Name } = call.fields
        return fieldsOf(reply).Volume === null
          ? json(200, { Volume: { Name } })
          : reply
      }),
    ),
  },
  'a List that lacks some': {
    finds: 'lists each volume once',
    plant: plain(after('List', () => json(200, { Volumes: [] }))),
  },
  'a List with doubles': {
    finds: 'lists each volume once',
    plant: plain(
      after('List', (reply) => {
        const { Volumes } = fieldsOf(reply)
        return json(200, { Volumes: [...Volumes, ...Volumes] })
      }),
    ),
  },
  'a scope that is none': {
    finds: 'says of its scope that it is local or global',
    plant: plain(
      after('Capabilities', () =>
        json(200, { Capabilities: { Scope: 'host' } }),
      ),
    ),
  },
  'a Get without a body that is answered': {
    finds:
      'never says of a volume that it is absent when asked without a body: Docker would forget its labels',
    plant: plain(
      instead('Get', async (call, forward) =>
        call.body.length === 0
          ? json(500, { Err: 'Name is missing' })
          : forward(call),
      ),
    ),
  },
  'a Remove that removes nothing': {
    finds: 'knows a volume no more that was removed',
    plant: plain(instead('Remove', async () => json(200, {}))),
  },
  'a Remove that fails for what is gone': {
    finds:
      'takes the removal of what is gone for done: Docker repeats lost calls',
    plant: plain(
      instead('Remove', async (call, forward) => {
        const known = await forward({ ...call, url: '/VolumeDriver.Get' })
        return fieldsOf(known).Volume === null
          ? json(500, { Err: 'no such volume' })
          : forward(call)
      }),
    ),
  },
  'a Remove that refuses what a crash left mounted': {
    finds: 'removes a volume that a crash has left mounted',
    plant: plain(
      instead('Remove', async (call, forward) => {
        const known = await forward({ ...call, url: '/VolumeDriver.Get' })
        return (fieldsOf(known).Volume?.Status.holders ?? 0) > 0
          ? json(500, { Err: 'in use' })
          : forward(call)
      }),
    ),
  },
  'a relative mountpoint': {
    finds:
      'mounts a volume at an absolute path, which is a directory of this host',
    plant: plain(after('Mount', () => json(200, { Mountpoint: 'data' }))),
  },
  'a mountpoint that is not there': {
    finds:
      'mounts a volume at an absolute path, which is a directory of this host',
    plant: plain(
      after('Mount', () => json(200, { Mountpoint: '/no/such/path' })),
    ),
  },
  'lost+found in a new volume': {
    finds: 'begins a volume empty, so that Docker fills it from the image',
    plant: plain(
      after('Mount', async (reply) => {
        const { Mountpoint } = fieldsOf(reply)
        await fs.mkdir(join(Mountpoint, 'lost+found'), { recursive: true })
        return reply
      }),
    ),
  },
  'a Path that is not what Mount said': {
    finds: 'shows the same path in Path and in Get as Mount did',
    plant: plain(after('Path', () => json(200, { Mountpoint: '/tmp' }))),
  },
  'a hold that is forgotten': {
    finds: 'keeps a volume mounted while another still holds it',
    plant: plain(
      instead('Unmount', async (call, forward) => {
        await takeAway(call, forward)
        return forward(call)
      }),
    ),
  },
  'holders that are a set': {
    finds: 'counts one ID that mounts twice: Docker repeats its IDs',
    plant: () => {
      const held = new Set<string>()
      return {
        mutation: async (call, forward) => {
          const { Name, ID } = call.fields
          if (call.method === 'VolumeDriver.Mount') held.add(`${Name} ${ID}`)
          if (call.method === 'VolumeDriver.Unmount') {
            held.delete(`${Name} ${ID}`)
            const isHeld = [...held].some((one) => one.startsWith(`${Name} `))
            if (!isHeld) await takeAway(call, forward)
          }
          return forward(call)
        },
      }
    },
  },
  'one directory for all volumes': {
    finds: 'keeps the files of different volumes apart',
    plant: () => {
      let first: Reply | undefined
      return {
        mutation: after('Mount', (reply) => (first ??= reply)),
      }
    },
  },
  'a Mount that makes what is missing': {
    finds: 'refuses to mount a volume that it does not have, and makes none',
    plant: plain(
      instead('Mount', async (call, forward) => {
        await forward({ ...call, url: '/VolumeDriver.Create' })
        return forward(call)
      }),
    ),
  },
  'an Unmount that fails for who holds nothing': {
    finds: 'takes an Unmount of one who holds nothing for done',
    plant: plain(
      instead('Unmount', async (call, forward) => {
        const known = await forward({ ...call, url: '/VolumeDriver.Get' })
        return fieldsOf(known).Volume?.Status.holders === 0
          ? json(500, { Err: 'not mounted' })
          : forward(call)
      }),
    ),
  },
}
