import { expect } from 'chai'
import type { ImageStorer } from '../../src/image/image-storer.ts'
import { type Image, SCRATCH } from '../../src/image/image.ts'
import { layerTar, type LayerTar } from '../support/layer-tar.ts'
import { SHARED_MEMORY, useTempDir } from '../../src/conformance/temp-dir.ts'

/** A storer that runs until it is closed, as a process does until it ends. */
export interface OpenImageStorer {
  readonly storer: ImageStorer
  readonly close: () => Promise<void>
}

export interface ImageStorerLimits {
  readonly maxLayerDepth?: number
  readonly imageQuota?: number
}

/** Opens a storer on a directory: an empty one, or one that it was opened on before. */
export type OpenImages = (
  home: string,
  limits?: ImageStorerLimits,
) => Promise<OpenImageStorer>

/** The storer of the test that runs now, and what most tests do with it. */
export interface ImageSuite {
  readonly storer: ImageStorer
  readonly reopen: (limits?: ImageStorerLimits) => Promise<void>
  /** Writes an image into the store `main`; its one file is named after it. */
  readonly write: (
    id: string,
    parent?: string,
    tar?: LayerTar,
    metadata?: Readonly<Record<string, string>>,
  ) => Promise<Image>
  /** Three branches: 1-10-100, 2-20-200, and 3-30 with 300 and 301 on it. */
  readonly writeBranches: () => Promise<void>
  /** The images of the store `main`, with which nothing is wrong. */
  readonly ids: () => Promise<readonly string[]>
}

/** Opens a storer on a fresh directory for each test. */
export function useImageStorer(open: OpenImages): ImageSuite {
  let opened: OpenImageStorer

  // Before the hook that takes the directory away.
  afterEach(() => opened.close())
  const home = useTempDir(() => SHARED_MEMORY)

  beforeEach(async () => {
    opened = await open(home.path)
  })

  const write: ImageSuite['write'] = async (
    id,
    parent = SCRATCH,
    tar = layerTar({ [id]: `content of ${id}` }),
    metadata = {},
  ) => {
    const store = await opened.storer.getImageStore('main')
    const { digest } = tar
    return store.writeImage({ id, parent, digest, metadata }, tar.stream())
  }

  return {
    get storer() {
      return opened.storer
    },
    async reopen(limits) {
      await opened.close()
      opened = await open(home.path, limits)
    },
    write,
    async writeBranches() {
      for (const branch of ['1', '2', '3']) {
        await write(branch)
        await write(`${branch}0`, branch)
        await write(`${branch}00`, `${branch}0`)
      }
      await write('301', '30')
    },
    async ids() {
      const store = await opened.storer.getImageStore('main')
      const { images, problems } = await store.listImages()
      expect(problems).to.deep.equal([])
      return images.map(({ id }) => id)
    },
  }
}
