import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as http from 'node:http'
import { join } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { packedFolder } from './packed-folder.ts'

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const CONFIG = 'application/vnd.docker.plugin.v1+json'
const LAYER = 'application/vnd.docker.image.rootfs.diff.tar'

/** What registries call a piece of content, and say of it. */
interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

interface Blob extends Descriptor {
  /** Where it lies on disk. */
  readonly file: string
}

/**
 * A registry that has one plugin, on this machine alone, for as long as Docker
 * takes to fetch it: Docker upgrades plugins from registries only, and trusts one
 * on 127.0.0.1 without a certificate.
 */
export class Registry implements AsyncDisposable {
  /** What Docker fetches the plugin by. */
  readonly reference: string
  readonly #server: http.Server

  private constructor(server: http.Server, reference: string) {
    this.#server = server
    this.reference = reference
  }

  /** @param folder What `plugin/build` made; the pieces are kept in it too. */
  static async serve(folder: string): Promise<Registry> {
    const manifest = await makeManifest(folder)
    const server = http.createServer((request, response) => {
      answer(manifest, request, response)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = Object(server.address())
    return new Registry(server, `127.0.0.1:${port}/stowage:latest`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }
}

/** The manifest, after which come the pieces that it lists. */
async function makeManifest(folder: string): Promise<readonly Blob[]> {
  const layer = await makeBlob(
    LAYER,
    join(folder, 'layer.tar'),
    packedFolder(join(folder, 'rootfs')),
  )
  const settings = JSON.parse(
    await fs.readFile(join(folder, 'config.json'), 'utf8'),
  )
  const rootfs = { type: 'layers', diff_ids: [layer.digest] }
  const config = await makeBlob(CONFIG, join(folder, 'plugin.json'), [
    JSON.stringify({ ...settings, rootfs }),
  ])
  const described = ({ mediaType, digest, size }: Blob): Descriptor => ({
    mediaType,
    digest,
    size,
  })
  const manifest = await makeBlob(MANIFEST, join(folder, 'manifest.json'), [
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: described(config),
      layers: [described(layer)],
    }),
  ])
  return [manifest, config, layer]
}

async function makeBlob(
  mediaType: string,
  file: string,
  content: Iterable<string> | Readable,
): Promise<Blob> {
  const hash = createHash('sha256')
  let size = 0
  const measured = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      size += chunk.length
      done(null, chunk)
    },
  })
  await pipeline(content, measured, createWriteStream(file, { mode: 0o600 }))
  return { mediaType, file, size, digest: `sha256:${hash.digest('hex')}` }
}

function answer(
  blobs: readonly Blob[],
  { method, url = '' }: http.IncomingMessage,
  response: http.ServerResponse,
): void {
  if (url === '/v2/') {
    response.end('{}')
    return
  }
  const name = url.split('/').at(-1)
  const found = blobs.find(({ digest }) => digest === name) ?? blobs[0]
  const isKnown = found?.digest === name || url.includes('/manifests/latest')
  if (found === undefined || !isKnown) {
    response.writeHead(404).end()
    return
  }
  response.writeHead(200, {
    'Content-Type': found.mediaType,
    'Content-Length': found.size,
    'Docker-Content-Digest': found.digest,
  })
  if (method === 'HEAD') response.end()
  else createReadStream(found.file).pipe(response)
}
