import { basename } from 'node:path'
import { fieldsOf, json, mutationsOf, plain } from './mutant-proxy.ts'
import type { PlantedFault } from './volume-mutants.ts'

const { after, instead } = mutationsOf('GraphDriver')

export const LAYER_FAULTS: Readonly<Record<string, PlantedFault>> = {
  'a Diff that fails with status 200': {
    finds:
      'tells the failure of a Diff by another status than 200, and by no 404',
    plant: plain(
      instead('Diff', async (call, forward) => ({
        ...(await forward(call)),
        status: 200,
      })),
    ),
  },
  'a tar without its end': {
    finds: 'ends a layer tar with two empty blocks',
    plant: plain(
      after('Diff', ({ status, body }) => ({
        status,
        body: Buffer.from(body).subarray(0, -1024),
      })),
    ),
  },
  'whole trees instead of changes': {
    finds: 'makes of a sibling, by a layer tar, exactly what a layer is',
    plant: plain(
      instead('Diff', (call, forward) => {
        const body = Buffer.from(JSON.stringify({ ID: call.fields.ID }))
        return forward({ ...call, body })
      }),
    ),
  },
  'kinds of changes that are mixed up': {
    finds: 'tells what was modified, added and deleted',
    plant: plain(
      after('Changes', (reply) => {
        const { Changes } = fieldsOf(reply)
        return json(200, {
          Changes: Changes.map((change) => ({
            ...change,
            Kind: (change.Kind + 1) % 3,
          })),
        })
      }),
    ),
  },
  'a child that is created without its parent': {
    finds: 'shows in a child exactly what its parent shows',
    plant: plain(
      instead('Create', (call, forward) => {
        const body = Buffer.from(JSON.stringify({ ID: call.fields.ID }))
        return forward({ ...call, body })
      }),
    ),
  },
  'a Remove that refuses what is gone': {
    finds: 'removes a layer, and takes the removal of what is gone for done',
    plant: plain(
      instead('Remove', async (call, forward) => {
        const known = await forward({ ...call, url: '/GraphDriver.Exists' })
        return fieldsOf(known).Exists
          ? forward(call)
          : json(500, { Err: 'no such layer' })
      }),
    ),
  },
  'a Put without a Get that fails': {
    finds: 'takes a Put without a Get for done, and counts on',
    plant: () => {
      const held = new Map<string, number>()
      return {
        mutation: async (call, forward) => {
          const { ID } = call.fields
          const count = held.get(ID) ?? 0
          if (call.method === 'GraphDriver.Get') held.set(ID, count + 1)
          if (call.method === 'GraphDriver.Put') {
            if (count === 0) return json(500, { Err: 'not held' })
            held.set(ID, count - 1)
          }
          return forward(call)
        },
      }
    },
  },
  'a layer that is always there': {
    finds: 'knows which layers it has',
    plant: plain(after('Exists', () => json(200, { Exists: true }))),
  },
  'a path that moves': {
    finds:
      'gives one path for as long as a layer is held, and counts who holds it',
    plant: () => {
      let count = 0
      return {
        mutation: after('Get', (reply) => {
          const { Dir } = fieldsOf(reply)
          const detour = `${Dir}/../${basename(Dir)}`.repeat(1)
          return json(200, { Dir: count++ % 2 === 0 ? Dir : detour })
        }),
      }
    },
  },
  'sizes that are wrong': {
    finds: 'answers how many bytes a layer tar held',
    plant: plain(after('ApplyDiff', () => json(200, { Size: 0 }))),
  },
  'an upload that is answered early': {
    finds: 'answers an upload after its last byte, and no sooner',
    plant: () => ({
      mutation: (call, forward) => forward(call),
      answersEarly: true,
    }),
  },
  'garbage that is taken for a layer': {
    finds: 'refuses an upload that is no tar',
    plant: plain(
      instead('ApplyDiff', async (call, forward) => {
        const reply = await forward(call)
        return reply.status === 200 ? reply : json(200, { Size: 0 })
      }),
    ),
  },
  'a claim to make exact tars': {
    finds:
      'claims no exact tars: Docker would throw away its own record of them',
    plant: plain(
      after('Capabilities', () =>
        json(200, { Capabilities: { ReproducesExactDiffs: true } }),
      ),
    ),
  },
  'a status in one string': {
    finds:
      'tells its status in pairs of strings, and facts of a layer as strings',
    plant: plain(after('Status', () => json(200, { Status: ['fine'] }))),
  },
}
