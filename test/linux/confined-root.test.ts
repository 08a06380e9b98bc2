import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { build, directory, file, symlink } from '../../src/conformance/tree.ts'

const source = (name: string): string =>
  new URL(`../../src/linux/${name}.js`, import.meta.url).href

/** What a thread tells that goes to each of `ways` in a root, and looks around. */
interface Seen {
  readonly here: string
  readonly names: readonly string[]
  readonly error?: string
}

const THREAD = `
const { parentPort, workerData } = require('node:worker_threads')
const fs = require('node:fs')
import(workerData.module).then((module) => {
  const root = module[workerData.open](workerData.path)
  const seen = workerData.ways.map((way) => {
    try {
      root.enter(way)
      return { here: root.here(), names: fs.readdirSync(root.at('.')).sort() }
    } catch (error) {
      return { here: '', names: [], error: error.code }
    }
  })
  root.enter('dir')
  root.reach('link', 'inside', (path) => fs.appendFileSync(path, ' reached'))
  const back = root.here()
  root[Symbol.dispose]()
  parentPort.postMessage({ seen, back, outside: fs.existsSync(workerData.path) })
})`

describe('A confined root', () => {
  needs('root')
  const home = useTempDir()

  beforeEach(() =>
    build(
      home.path,
      file('secret', ''),
      directory('root/dir'),
      file('root/top', ''),
      file('root/dir/inside', 'was'),
      symlink('root/link', 'dir'),
      symlink('root/absolute', '/dir'),
      symlink('root/out', '../../..'),
      symlink('root/dir/up', '../../../dir'),
      symlink('root/loop', 'loop'),
    ),
  )

  for (const [module, open, way] of [
    ['own-root', 'openOwnRoot', 'of the thread’s own'],
    ['in-root', 'openInRoot', 'by openat2'],
  ] as const) {
    const visit = (...ways: string[]): Promise<Told> =>
      goTo(join(home.path, 'root'), { module: source(module), open, ways })

    describe(way, () => {
      it('follows links and dots inside itself, as a process in it would', async () => {
        const dir = { here: 'dir', names: ['inside', 'up'] }
        const { seen } = await visit(
          'dir',
          'link',
          'absolute',
          'dir/up',
          'out/dir',
          '../../dir',
          'dir/../link/.',
        )
        expect(seen).to.deep.equal(seen.map(() => dir))
      })

      it('has nothing above it', async () => {
        const { seen } = await visit('', '..', 'out', 'dir/../../../..')
        const names = ['absolute', 'dir', 'link', 'loop', 'out', 'top']
        expect(seen).to.deep.equal(seen.map(() => ({ here: '', names })))
      })

      it('says of a way that leads nowhere why it does', async () => {
        const { seen } = await visit('absent', 'top', 'top/x', 'loop')
        expect(seen.map(({ error }) => error)).to.deep.equal([
          'ENOENT',
          'ENOTDIR',
          'ENOTDIR',
          'ELOOP',
        ])
      })

      it('reaches a name elsewhere, and stays where it is', async () => {
        const { back } = await visit('')
        const path = join(home.path, 'root/dir/inside')
        expect(await fs.readFile(path, 'utf8')).to.equal('was reached')
        expect(back).to.equal('dir')
      })

      it('is left when it is disposed of', async () => {
        expect((await visit('dir')).outside).to.equal(true)
      })
    })
  }
})

interface Told {
  readonly seen: readonly Seen[]
  readonly back: string
  readonly outside: boolean
}

async function goTo(path: string, journey: object): Promise<Told> {
  const worker = new Worker(THREAD, {
    eval: true,
    workerData: { ...journey, path },
  })
  const [told] = await once(worker, 'message')
  await worker.terminate()
  return told as Told
}
