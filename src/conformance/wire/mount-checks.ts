import * as fs from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { isMountpoint } from '../../linux/mountinfo.ts'
import type { Bench } from './bench.ts'
import type { Check } from './check.ts'
import { succeeds } from './volume-checks.ts'

const area = 'volumes'

/** Volumes as containers see them; Docker's mount IDs are `a` and `b`. */
export const MOUNT_CHECKS: readonly Check[] = [
  {
    area,
    title:
      'mounts a volume at an absolute path, which is a directory of this host',
    weight: 'must',
    async run(bench) {
      const path = await bench.mounted(await bench.created(), 'a')
      if (!isAbsolute(path)) throw new Error(`Mountpoint is "${path}"`)
      if ((await fs.stat(path)).isDirectory()) return
      throw new Error(`"${path}" is not a directory`)
    },
  },
  {
    area,
    title: 'begins a volume empty, so that Docker fills it from the image',
    weight: 'should',
    async run(bench) {
      const path = await bench.mounted(await bench.created(), 'a')
      const names = await fs.readdir(path)
      if (names.length > 0) throw new Error(`It holds ${names.join(', ')}`)
    },
  },
  {
    area,
    title: 'shows the same path in Path and in Get as Mount did',
    weight: 'must',
    async run(bench) {
      const name = await bench.created()
      const path = await bench.mounted(name, 'a')
      const { Mountpoint } = await bench.volume('Path', name)
      if (Mountpoint !== path)
        throw new Error(`Path shows "${String(Mountpoint)}"`)
      const shown = (await bench.got(name))?.Mountpoint
      if (shown !== path) throw new Error(`Get shows "${String(shown)}"`)
    },
  },
  {
    area,
    title: 'gives all who mount a volume the same path',
    weight: 'must',
    async run(bench) {
      const name = await bench.created()
      const [first, second] = [
        await bench.mounted(name, 'a'),
        await bench.mounted(name, 'b'),
      ]
      if (first === second) return
      throw new Error(`One got "${first}", another "${second}"`)
    },
  },
  {
    area,
    title: 'keeps a volume mounted while another still holds it',
    weight: 'must',
    async run(bench) {
      const name = await bench.created()
      const path = await bench.mounted(name, 'a')
      await bench.mounted(name, 'b')
      await staysMounted(bench, name, path)
    },
  },
  {
    area,
    title: 'counts one ID that mounts twice: Docker repeats its IDs',
    weight: 'must',
    async run(bench) {
      const name = await bench.created()
      const path = await bench.mounted(name, 'a')
      await bench.mounted(name, 'a')
      await staysMounted(bench, name, path)
    },
  },
  {
    area,
    title: 'keeps what was written from one mount to the next',
    weight: 'must',
    async run(bench) {
      const name = await bench.created()
      const path = await bench.mounted(name, 'a')
      await fs.writeFile(join(path, 'file'), 'written')
      await bench.unmounted(name, 'a')
      const again = await bench.mounted(name, 'b')
      const text = await fs.readFile(join(again, 'file'), 'utf8')
      if (text !== 'written') throw new Error(`The file holds "${text}"`)
    },
  },
  {
    area,
    title: 'keeps the files of different volumes apart',
    weight: 'must',
    async run(bench) {
      const [one, other] = [await bench.created(), await bench.created()]
      await fs.writeFile(join(await bench.mounted(one, 'a'), 'file'), 'text')
      const names = await fs.readdir(await bench.mounted(other, 'a'))
      if (names.includes('file')) throw new Error('Both show the file of one')
    },
  },
  {
    area,
    title: 'refuses to mount a volume that it does not have, and makes none',
    weight: 'must',
    async run(bench) {
      const name = bench.name()
      if (await succeeds(bench.mounted(name, 'a'))) {
        await succeeds(bench.volume('Remove', name))
        throw new Error('Mount succeeded')
      }
      if ((await bench.got(name)) !== undefined) {
        throw new Error('Get shows the volume that Mount refused')
      }
    },
  },
  {
    area,
    title: 'takes an Unmount of one who holds nothing for done',
    weight: 'should',
    async run(bench) {
      const name = await bench.created()
      await bench.unmounted(name, 'a')
    },
  },
  {
    area,
    title: 'lets nobody’s Unmount take a volume from who holds it',
    weight: 'should',
    async run(bench) {
      const name = await bench.created()
      const path = await bench.mounted(name, 'a')
      const before = await isMountpoint(path)
      await succeeds(bench.unmounted(name, 'b'))
      await refuseGone(path, before)
    },
  },
  {
    area,
    title: 'removes a volume that a crash has left mounted',
    weight: 'should',
    async run(bench) {
      const name = await bench.created()
      await bench.mounted(name, 'a')
      await bench.volume('Remove', name)
      if ((await bench.got(name)) !== undefined) {
        throw new Error('Get still shows it')
      }
    },
  },
  {
    area,
    title: 'removes a volume with its files, so that its name begins anew',
    weight: 'should',
    async run(bench) {
      const name = await bench.created()
      await fs.writeFile(join(await bench.mounted(name, 'a'), 'file'), 'text')
      await bench.unmounted(name, 'a')
      await bench.volume('Remove', name)
      const again = await bench.mounted(await bench.created(name), 'a')
      const names = await fs.readdir(again)
      if (names.length > 0) throw new Error(`It holds ${names.join(', ')}`)
    },
  },
  {
    area,
    title: 'mounts for many at once',
    weight: 'must',
    async run(bench) {
      const name = await bench.created()
      const ids = Array.from({ length: 16 }, (_, index) => `many-${index}`)
      const mounts = ids.map((id) => bench.mounted(name, id))
      const [path = '', ...others] = new Set(await Promise.all(mounts))
      if (others.length > 0) throw new Error(`They got ${others.length} others`)
      const before = await isMountpoint(path)
      const [last = '', ...rest] = ids
      await Promise.all(rest.map((id) => bench.unmounted(name, id)))
      await refuseGone(path, before)
      await bench.unmounted(name, last)
    },
  },
  {
    area,
    title: 'remembers over a restart who holds a volume',
    weight: 'must',
    restarts: true,
    async run(bench) {
      const name = await bench.created()
      const path = await bench.mounted(name, 'a')
      await bench.mounted(name, 'b')
      await fs.writeFile(join(path, 'file'), 'text')
      await bench.restart()
      await refuseGone(path, await isMountpoint(path))
      await staysMounted(bench, name, path)
    },
  },
]

/** One of two holders leaves. */
async function staysMounted(
  bench: Bench,
  name: string,
  path: string,
): Promise<void> {
  await fs.writeFile(join(path, 'file'), 'text')
  const before = await isMountpoint(path)
  await bench.unmounted(name, 'a')
  await refuseGone(path, before)
  const names = await fs.readdir(path)
  if (!names.includes('file')) throw new Error(`"${path}" lost its files`)
  await succeeds(bench.unmounted(name, 'a'))
  await succeeds(bench.unmounted(name, 'b'))
}

async function refuseGone(path: string, wasMounted: boolean): Promise<void> {
  if (!(await succeeds(fs.stat(path)))) throw new Error(`"${path}" is gone`)
  if (wasMounted && !(await isMountpoint(path))) {
    throw new Error(`"${path}" is no mountpoint any more`)
  }
}
