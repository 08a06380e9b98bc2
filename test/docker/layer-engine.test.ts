import { createHash } from 'node:crypto'
import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { inspect, promisify } from 'node:util'
import { expect } from 'chai'
import { layerChanges } from '../../src/archive/layer-changes.ts'
import { layerDiff } from '../../src/archive/layer-diff.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { PrivateHost } from '../support/private-host.ts'
import { collect, readTar, type ReadTarEntry } from '../support/read-tar.ts'
import { LayerScenario } from './layer-scenario.ts'

const run = promisify(execFile)

/**
 * Docker's own vfs driver keeps every layer as a plain tree, and compares trees as
 * our engine does. So on those very trees both must find the same.
 */
describe('The layer engine beside dockerd’s vfs driver', function () {
  this.timeout(600_000)
  needs('root', 'docker', 'debootstrap', 'busybox')
  let host: PrivateHost
  let scenario: LayerScenario

  before(async () => {
    host = await PrivateHost.open()
    await host.startDockerd({ storageDriver: 'vfs' })
    scenario = new LayerScenario(host)
    await scenario.importBases()
    await scenario.build('classic', 'image')
  })
  after(async () => {
    await scenario?.removeAll()
    await host?.close()
  })

  it('writes the entries that dockerd does, in its order, for each layer of a build', async () => {
    const trees = await layerTrees()
    const tars = await savedLayers()
    expect(tars.length).to.be.at.least(6)
    for (const [index, tar] of tars.entries()) {
      // The base was imported, so its tar is somebody else's.
      if (index === 0) continue
      const source = { tree: trees[index]!, parent: trees[index - 1]! }
      const ours = readTar(await collect(await layerDiff(source)))
      expect(ours.map(kept)).to.deep.equal(readTar(tar).map(kept))
    }
  })

  it('writes of a whole Debian what Docker took in', async () => {
    const [tree] = await layerTrees()
    const [imported] = await savedLayers()
    const ours = readTar(await collect(await layerDiff({ tree: tree! })))
    const theirs = readTar(imported!).filter(({ name }) => name !== './')
    // Of several names any may be the first, and the others link to that.
    const names = new Set([...linkedNames(ours), ...linkedNames(theirs)])
    expect(new Set(linkedNames(ours))).to.deep.equal(names)
    expect(besides(names, ours)).to.deep.equal(besides(names, theirs))
  })

  it('lists the changes that docker diff does', async () => {
    const change =
      'rm /bin/ls; echo x > /etc/hostname2; chmod 700 /opt; mkdir -p /srv/a/b; rm -r /usr/share/doc; touch /usr/share; ln -s /etc /srv/link'
    await host.docker('run --network=none --name used image sh -c', change)
    const id = await host.docker('inspect -f {{.Id}} used')
    const mount = await read(`image/vfs/layerdb/mounts/${id}/mount-id`)
    const source = { tree: treeOf(mount), parent: treeOf(`${mount}-init`) }
    const ours: string[] = []
    for await (const { path, kind } of layerChanges(source)) {
      ours.push(`${LETTER[kind]} ${String(path)}`)
    }
    const theirs = (await host.docker('diff used')).split('\n')
    expect(ours.toSorted()).to.deep.equal(theirs.toSorted())
    await host.docker('rm used')
  })

  /** Where the layers of the image are, base first. */
  async function layerTrees(): Promise<string[]> {
    const trees: string[] = []
    let chain = ''
    for (const layer of await scenario.layers('image')) {
      chain = chain === '' ? layer : `sha256:${sha256(`${chain} ${layer}`)}`
      const database = `image/vfs/layerdb/${chain.replace(':', '/')}`
      trees.push(treeOf(await read(`${database}/cache-id`)))
    }
    return trees
  }

  /** The layers as dockerd's own code wrote them when they were committed. */
  async function savedLayers(): Promise<Buffer[]> {
    const directory = join(host.directory, 'saved')
    await fs.mkdir(directory, { recursive: true })
    await host.docker(`save --output ${directory}.tar image`)
    await run('tar', ['-C', directory, '-xf', `${directory}.tar`])
    const text = await fs.readFile(join(directory, 'manifest.json'), 'utf8')
    const [{ Layers: names }] = JSON.parse(text) as [{ Layers: string[] }]
    const tars: Buffer[] = []
    for (const name of names)
      tars.push(await fs.readFile(join(directory, name)))
    await fs.rm(directory, { recursive: true })
    return tars
  }

  function treeOf(id: string): string {
    return join(host.directory, 'docker/vfs/dir', id)
  }

  async function read(path: string): Promise<string> {
    return fs.readFile(join(host.directory, 'docker', path), 'utf8')
  }
})

const LETTER = { modified: 'C', added: 'A', deleted: 'D' } as const

/** What both write. A whiteout of dockerd's has the time at which it was written. */
function kept(entry: ReadTarEntry): Partial<ReadTarEntry> {
  const { mtime: _mtime, ...rest } = entry
  const isWhiteout = /(?:^|\/)\.wh\./.test(entry.name)
  return isWhiteout ? rest : entry
}

function linkedNames(entries: readonly ReadTarEntry[]): string[] {
  return entries
    .filter(({ type }) => type === 'hardlink')
    .flatMap(({ name, link }) => [bare(name), bare(link ?? '')])
}

/** Entries but for `names`, by the second, in a form and an order of their own. */
function besides(
  names: ReadonlySet<string>,
  entries: readonly ReadTarEntry[],
): string[] {
  return entries
    .map((entry) => ({
      ...entry,
      name: bare(entry.name),
      mtime: entry.mtime / 1_000_000_000n,
    }))
    .filter(({ name }) => !names.has(name))
    .map((entry) => inspect(entry))
    .toSorted()
}

function bare(name: string): string {
  return name.replace(/^\.\//, '')
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
