import { expect } from 'chai'
import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { debianRoot } from '../support/debian-root.ts'
import { importBusybox } from '../support/images.ts'
import { DOCKER, type PrivateHost } from '../support/private-host.ts'

const run = promisify(execFile)

/** Either of Docker's two builders, which call a graph driver differently. */
export type Builder = 'classic' | 'buildkit'

/**
 * What a layered image can hold: added, replaced and deleted things, hard links,
 * setuid files, capabilities, and what the next step must then see.
 */
const DOCKERFILE = `
FROM debian
RUN mkdir -p /t/dir/sub && echo one > /t/dir/file && echo two > /t/dir/sub/file && echo gone > /t/gone
RUN ln /t/dir/file /t/hard && ln -s dir/file /t/soft && ln -s /t/dir /t/absolute
RUN cp /bin/true /t/suid && chmod 4755 /t/suid && chown 1000:1000 /t/dir/sub && chmod 2755 /t/dir/sub
RUN cp -a /bin/ping /t/ping && mkfifo /t/fifo && rm /t/gone
RUN rm -r /t/dir && mkdir /t/dir && echo three > /t/dir/other
RUN echo four > /t/absolute/through && rm /t/soft && mkdir /t/soft && touch /t/soft/inside
COPY context /t/context
RUN rm /t/context/a && mv /t/context/b /t/context/c && test ! -e /t/context/a
`

/** What a container on that image must say. */
const PROBE = `
set -e
test ! -e /t/gone && test ! -e /t/dir/file && test ! -e /t/dir/sub
cat /t/dir/other /t/absolute/through /t/hard /t/context/c
stat -c '%a %u %F' /t/suid /t/soft /t/fifo
ls /t /t/context /t/soft
getcap /t/ping /usr/bin/ping
find / -xdev -type f | grep -v -e ^/proc -e ^/sys -e ^/etc/host -e ^/etc/resolv.conf | sort | xargs -d '\\n' md5sum | md5sum
`

export class LayerScenario {
  readonly #host: PrivateHost

  constructor(host: PrivateHost) {
    this.#host = host
  }

  /** Imports the images that the rest builds on: \`bb\` and \`debian\`. */
  async importBases(): Promise<void> {
    await importBusybox(this.#host)
    await this.#host.docker('import', await debianRoot(), 'debian')
  }

  /**
   * Builds the image `tag` and answers what a container on it says, down to the
   * content of every file, so that two builds of it can be compared.
   */
  async build(builder: Builder, tag: string): Promise<string> {
    const context = await this.#context()
    const command = [
      'build',
      '--network=none',
      '--no-cache',
      '-t',
      tag,
      context,
    ]
    await run(DOCKER, command, {
      env: {
        ...this.#host.dockerEnv,
        DOCKER_BUILDKIT: builder === 'buildkit' ? '1' : '0',
      },
      maxBuffer: 1 << 26,
    })
    return this.probe(tag)
  }

  probe(tag: string): Promise<string> {
    return this.#host.docker(`run --rm --network=none ${tag} sh -c`, PROBE)
  }

  /** The digests of the layers of `tag`, base first. */
  async layers(tag: string): Promise<string[]> {
    const format = '{{json .RootFS.Layers}}'
    return JSON.parse(await this.#host.docker('inspect -f', format, tag))
  }

  /** Saves, removes and loads `tag`, and compares what comes back. */
  async saveAndLoad(tag: string): Promise<void> {
    const archive = join(this.#host.directory, 'saved.tar')
    const layers = await this.layers(tag)
    await this.#host.docker(`save --output ${archive} ${tag}`)
    await this.#host.docker(`rmi --force ${tag}`)
    await this.#host.docker(`load --input ${archive}`)
    expect(await this.layers(tag)).to.deep.equal(layers)
    const again = join(this.#host.directory, 'again.tar')
    await this.#host.docker(`save --output ${again} ${tag}`)
    expect(await layerSums(again)).to.deep.equal(await layerSums(archive))
    await fs.rm(archive)
    await fs.rm(again)
  }

  /**
   * Saves `tag`, loads it into Docker's own `driver`, which `start` starts, and
   * compares the layers' digests and what that driver saves in turn.
   */
  async loadsInto(tag: string, start: () => Promise<void>): Promise<void> {
    const ours = join(this.#host.directory, 'ours.tar')
    const theirs = join(this.#host.directory, 'theirs.tar')
    const layers = await this.layers(tag)
    const content = await this.probe(tag)
    await this.#host.docker(`save --output ${ours} ${tag}`)
    await start()
    await this.#host.docker(`load --input ${ours}`)
    expect(await this.layers(tag)).to.deep.equal(layers)
    expect(await this.probe(tag)).to.equal(content)
    await this.#host.docker(`save --output ${theirs} ${tag}`)
    expect(await layerSums(theirs)).to.equal(await layerSums(ours))
    await this.removeAll()
    await fs.rm(ours)
    await fs.rm(theirs)
  }

  /** Runs, changes, inspects, copies, exports and commits a container. */
  async useContainer(tag: string): Promise<void> {
    const { docker } = this
    const change = 'echo new > /t/new; rm /t/hard; chmod 700 /t/dir'
    await docker(`run --network=none --name used ${tag} sh -c`, change)
    const diff = (await docker('diff used')).split('\n').toSorted()
    expect(diff).to.deep.equal(['A /t/new', 'C /t', 'C /t/dir', 'D /t/hard'])

    await docker('cp used:/t/new', join(this.#host.directory, 'copied'))
    await docker('cp', join(this.#host.directory, 'copied'), 'used:/t/back')
    await docker('start used')
    const exported = join(this.#host.directory, 'exported.tar')
    await docker(`export --output ${exported} used`)
    const { stdout } = await run('tar', ['-tf', exported], {
      maxBuffer: 1 << 26,
    })
    expect(stdout)
      .to.match(/^t\/back$/m)
      .and.not.to.match(/^t\/hard$/m)

    await docker('commit used committed')
    const seen = 'cat /t/new /t/back; test ! -e /t/hard; stat -c %a /t/dir'
    const committed = await docker(
      'run --rm --network=none committed sh -c',
      seen,
    )
    expect(committed).to.equal('new\nnew\n700')
    expect(await docker('inspect -s -f {{.SizeRw}} used')).to.match(/^\d+$/)
    await docker('rm used')
    await docker('rmi committed')
  }

  /** Removes every container and image. */
  async removeAll(): Promise<void> {
    await this.docker('system prune --all --force --volumes')
    await this.docker('builder prune --all --force')
  }

  /** The layers that the driver keeps and that no image or container names. */
  async forgottenLayers(): Promise<string[]> {
    const root = join(this.#host.directory, 'docker')
    const named = new Set(await namesIn(join(root, 'image/stowage/layerdb')))
    const kept = await fs.readdir(join(root, 'stowage/layers'))
    return kept.filter((id) => !named.has(id))
  }

  get docker(): PrivateHost['docker'] {
    return (command, ...rest) => this.#host.docker(command, ...rest)
  }

  async #context(): Promise<string> {
    const context = join(this.#host.directory, 'context')
    await fs.mkdir(join(context, 'context'), { recursive: true })
    for (const name of ['a', 'b']) {
      await fs.writeFile(join(context, 'context', name), `${name}\n`)
    }
    await fs.writeFile(join(context, 'Dockerfile'), DOCKERFILE)
    return context
  }
}

/** What Docker's layer database calls the layers of its images and containers. */
async function namesIn(layerdb: string): Promise<string[]> {
  const files = await fs.readdir(layerdb, { recursive: true })
  const ids = files.filter((file) =>
    ['cache-id', 'mount-id', 'init-id'].includes(basename(file)),
  )
  return Promise.all(
    ids.map((file) => fs.readFile(join(layerdb, file), 'utf8')),
  )
}

/** The digest of each layer in a tar of `docker save`, by name. */
async function layerSums(archive: string): Promise<string> {
  const { stdout } = await run('sh', [
    '-c',
    `tar -tf "$1" | grep layer.tar | sort | while read -r name; do
       echo "$(tar -xOf "$1" "$name" | sha256sum) $name"
     done`,
    'sh',
    archive,
  ])
  return stdout
}
