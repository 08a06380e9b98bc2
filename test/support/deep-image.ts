import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { PrivateHost } from './private-host.ts'

const run = promisify(execFile)

/** As many layers as Docker lets an image have. */
export const MOST_LAYERS = 125

/**
 * Loads an image `deep` of `bb` and as many more layers as Docker allows. Each
 * adds `/deep/<number>` and rewrites `/deep/top`.
 */
export async function loadDeepImage(host: PrivateHost): Promise<void> {
  const directory = join(host.directory, 'deep')
  const archive = join(host.directory, 'bb.tar')
  await fs.mkdir(directory)
  await host.docker(`save --output ${archive} bb`)
  await run('tar', ['-C', directory, '-xf', archive])
  const [image] = JSON.parse(await read(directory, 'manifest.json'))
  const config = JSON.parse(await read(directory, image.Config))

  for (let number = image.Layers.length; number < MOST_LAYERS; number++) {
    const layer = `layer${number}.tar`
    const digest = await writeLayer(directory, layer, number)
    image.Layers.push(layer)
    config.rootfs.diff_ids.push(`sha256:${digest}`)
    config.history.push({ created_by: `layer ${number}` })
  }
  image.RepoTags = ['deep:latest']
  await fs.writeFile(join(directory, image.Config), JSON.stringify(config))
  await fs.writeFile(join(directory, 'manifest.json'), JSON.stringify([image]))
  await fs.rm(join(directory, 'repositories'), { force: true })
  await run('tar', ['-C', directory, '-cf', archive, '.'])
  await host.docker(`load --input ${archive}`)
  await fs.rm(directory, { recursive: true })
  await fs.rm(archive)
}

async function writeLayer(
  directory: string,
  name: string,
  number: number,
): Promise<string> {
  const tree = join(directory, 'tree')
  await fs.mkdir(join(tree, 'deep'), { recursive: true })
  await fs.writeFile(join(tree, 'deep', String(number)), `${number}\n`)
  await fs.writeFile(join(tree, 'deep', 'top'), `${number}\n`)
  await run('tar', [
    '-C',
    tree,
    '--owner=0',
    '--group=0',
    '-cf',
    join(directory, name),
    'deep',
  ])
  await fs.rm(tree, { recursive: true })
  const tar = await fs.readFile(join(directory, name))
  return createHash('sha256').update(tar).digest('hex')
}

function read(directory: string, name: string): Promise<string> {
  return fs.readFile(join(directory, name), 'utf8')
}
