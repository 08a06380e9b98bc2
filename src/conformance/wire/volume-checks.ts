import { isDeepStrictEqual } from 'node:util'
import type { Check } from './check.ts'

const area = 'volumes'

/** Names that no volume may have, because they lead elsewhere. */
const HOSTILE = ['', '.', '..', '../x', 'a/b', '/etc', 'x\0y', 'n'.repeat(300)]

/** RFC 3339, as Go reads it. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/

/** Volumes as Docker's catalogue sees them. */
export const VOLUME_CHECKS: readonly Check[] = [
  {
    area,
    title: 'creates a volume that Get then shows',
    weight: 'must',
    async run(bench) {
      const name = await bench.created()
      if ((await bench.got(name)) === undefined) {
        throw new Error('Get does not know the volume')
      }
    },
  },
  {
    area,
    title: 'calls a volume in Get exactly what it was asked for',
    weight: 'must',
    async run(bench) {
      const name = await bench.created()
      const volume = await bench.got(name)
      if (volume?.Name === name) return
      throw new Error(`"${name}" is called ${JSON.stringify(volume?.Name)}`)
    },
  },
  {
    area,
    title: 'lists each volume once',
    weight: 'must',
    async run(bench) {
      const name = await bench.created()
      const names = (await bench.listed()).map(({ Name }) => Name)
      const count = names.filter((one) => one === name).length
      if (count !== 1) throw new Error(`"${name}" is listed ${count} times`)
    },
  },
  {
    area,
    title:
      'dates a volume as RFC 3339 has it, or not at all: Docker reads no other',
    weight: 'must',
    async run(bench) {
      const volume = await bench.got(await bench.created())
      const time = volume?.CreatedAt
      if (time === undefined) return
      if (typeof time === 'string' && TIME.test(time)) return
      throw new Error(`CreatedAt is ${JSON.stringify(time)}`)
    },
  },
  {
    area,
    title: 'shows Status as an object, or not at all',
    weight: 'must',
    async run(bench) {
      const status = (await bench.got(await bench.created()))?.Status ?? {}
      if (typeof status === 'object' && !Array.isArray(status)) return
      throw new Error(`Status is ${JSON.stringify(status)}`)
    },
  },
  {
    area,
    title: 'knows no volume that it was not asked to create',
    weight: 'must',
    async run(bench) {
      const name = bench.name()
      const volume = await bench.got(name)
      if (volume !== undefined) {
        throw new Error(`Get shows ${JSON.stringify(volume)}`)
      }
      if ((await bench.listed()).some(({ Name }) => Name === name)) {
        throw new Error('List shows it, once Get has been asked for it')
      }
    },
  },
  {
    area,
    title: 'takes a Create that Docker repeats for done',
    weight: 'must',
    async run(bench) {
      const name = await bench.created()
      await bench.created(name)
    },
  },
  {
    area,
    title: 'has one volume after many have created it at once',
    weight: 'must',
    async run(bench) {
      const name = bench.name()
      const creators = Array.from({ length: 16 }, () => bench.created(name))
      const done = await Promise.allSettled(creators)
      if (done.every(({ status }) => status === 'rejected')) {
        throw new Error('None of 16 creators succeeded')
      }
      await bench.created(name)
      const names = (await bench.listed()).filter(({ Name }) => Name === name)
      if (names.length === 1) return
      throw new Error(`"${name}" is listed ${names.length} times`)
    },
  },
  {
    area,
    title: 'refuses an option that it does not know',
    weight: 'should',
    async run(bench) {
      const name = bench.name()
      const Opts = { ...bench.optionsOf(name), 'no-such-option': 'x' }
      const created = bench.created(name, { Opts })
      if (await succeeds(created)) throw new Error('The volume was created')
    },
  },
  {
    area,
    title: 'leaves nothing of a volume that it refused to create',
    weight: 'must',
    async run(bench) {
      const name = bench.name()
      const Opts = { ...bench.optionsOf(name), 'no-such-option': 'x' }
      if (await succeeds(bench.created(name, { Opts }))) return
      if ((await bench.got(name)) === undefined) return
      throw new Error('Get shows the volume that Create refused')
    },
  },
  {
    area,
    title: 'refuses names that lead elsewhere',
    weight: 'should',
    async run(bench) {
      for (const name of HOSTILE) {
        const Opts = bench.optionsOf('name')
        const created = bench.volume('Create', name, { Opts })
        if (!(await succeeds(created))) continue
        await succeeds(bench.volume('Remove', name))
        throw new Error(`It created ${JSON.stringify(name.slice(0, 20))}`)
      }
    },
  },
  {
    area,
    title: 'knows a volume no more that was removed',
    weight: 'must',
    async run(bench) {
      const name = await bench.created()
      await bench.volume('Remove', name)
      if ((await bench.got(name)) !== undefined) {
        throw new Error('Get still shows it')
      }
      if ((await bench.listed()).some(({ Name }) => Name === name)) {
        throw new Error('List still shows it')
      }
    },
  },
  {
    area,
    title:
      'takes the removal of what is gone for done: Docker repeats lost calls',
    weight: 'should',
    async run(bench) {
      const name = await bench.created()
      await bench.volume('Remove', name)
      await bench.volume('Remove', name)
    },
  },
  {
    area,
    title: 'creates and removes many volumes at once',
    weight: 'must',
    async run(bench) {
      const names = Array.from({ length: 20 }, () => bench.name())
      await Promise.all(names.map((name) => bench.created(name)))
      const listed = new Set((await bench.listed()).map(({ Name }) => Name))
      const missing = names.filter((name) => !listed.has(name))
      if (missing.length > 0) {
        throw new Error(`List lacks ${missing.length} of 20 volumes`)
      }
      await Promise.all(names.map((name) => bench.volume('Remove', name)))
    },
  },
  {
    area,
    title: 'says of its scope that it is local or global',
    weight: 'must',
    async run(bench) {
      const { status, body } = await bench.post('VolumeDriver.Capabilities', {})
      if (status === 404) return
      const scope = JSON.parse(body)?.Capabilities?.Scope
      if (scope === 'local' || scope === 'global') return
      throw new Error(`Scope is ${JSON.stringify(scope)}`)
    },
  },
  {
    area,
    title:
      'never says of a volume that it is absent when asked without a body: Docker would forget its labels',
    weight: 'should',
    async run(bench) {
      let answer
      try {
        answer = await bench.post('VolumeDriver.Get', '')
      } catch {
        return
      }
      throw new Error(`It was answered ${answer.status} instead of cut off`)
    },
  },
  {
    area,
    title:
      'has its volumes after a restart, as they were, without being activated',
    weight: 'must',
    restarts: true,
    async run(bench) {
      const name = await bench.created()
      const before = await bench.got(name)
      await bench.restart()
      const after = await bench.got(name)
      if (after === undefined) throw new Error('Get does not know the volume')
      if (isDeepStrictEqual(after.Name, before?.Name)) return
      throw new Error(`It is called ${JSON.stringify(after.Name)}`)
    },
  },
  {
    area,
    title: 'knows a removed volume no more after a restart either',
    weight: 'must',
    restarts: true,
    async run(bench) {
      const name = await bench.created()
      await bench.volume('Remove', name)
      await bench.restart()
      if ((await bench.got(name)) === undefined) return
      throw new Error('Get shows it again')
    },
  },
]

/** Whether a call ends well; only what the plugin itself says counts as refused. */
export async function succeeds(call: Promise<unknown>): Promise<boolean> {
  try {
    await call
    return true
  } catch {
    return false
  }
}
