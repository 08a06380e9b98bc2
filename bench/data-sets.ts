import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { cached } from './cache.ts'
import { command } from './command.ts'

/** A layer tar in the cache of the machine's pages, so no disk is measured. */
export type LayerTar = string

const KIB = 1024
const MIB = 1024 * KIB

/** 10,000 files of 4 KiB in 500 folders. */
export function small(): Promise<LayerTar> {
  return files(10_000)
}

/** As many files of 4 KiB, twenty to a folder. */
export function files(count: number): Promise<LayerTar> {
  return packed(`files-${count}.tar`, async (tree) => {
    const folders = Math.ceil(count / 20)
    for (let n = 0; n < count; n++) {
      await writeRandom(join(tree, `d${n % folders}`, `f${n}`), 4 * KIB)
    }
  })
}

/** Files of 256 MiB: four, unless fewer are asked for. */
export function big(count = 4): Promise<LayerTar> {
  return packed(`big-${count}.tar`, async (tree) => {
    for (let n = 0; n < count; n++)
      await writeRandom(join(tree, `f${n}`), 256 * MIB)
  })
}

/** A Debian with nothing but what it must have. */
export function root(): Promise<LayerTar> {
  return packed('root.tar', async (tree) => {
    await command('debootstrap', '--variant=minbase', 'bookworm', tree)
  })
}

/** Layers of 270 files of 4 KiB each, for stacking. */
export async function chain(length: number): Promise<readonly LayerTar[]> {
  const tars: LayerTar[] = []
  for (let layer = 0; layer < length; layer++) {
    tars.push(
      await packed(`chain-${layer}.tar`, async (tree) => {
        for (let n = 0; n < 270; n++) {
          await writeRandom(
            join(tree, `d${n % 27}`, `l${layer}-f${n}`),
            4 * KIB,
          )
        }
      }),
    )
  }
  return tars
}

async function packed(
  name: string,
  fill: (tree: string) => Promise<void>,
): Promise<LayerTar> {
  const path = await cached(name, async (tar) => {
    const tree = join(dirname(tar), 'tree')
    await fs.mkdir(tree)
    await fill(tree)
    await command(
      'tar',
      '--format=ustar',
      '--sort=name',
      '--numeric-owner',
      '-cf',
      tar,
      '-C',
      tree,
      '.',
    )
  })
  await command('dd', `if=${path}`, 'of=/dev/null', 'bs=1M', 'status=none')
  return path
}

/** Bytes that no filesystem and no compression can make fewer. */
async function writeRandom(path: string, size: number): Promise<void> {
  await fs.mkdir(dirname(path), { recursive: true })
  const file = await fs.open(path, 'wx', 0o644)
  try {
    const piece = Math.min(size, 16 * MIB)
    for (let written = 0; written < size; written += piece) {
      await file.writeFile(randomBytes(piece))
    }
  } finally {
    await file.close()
  }
}
