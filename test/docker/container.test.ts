import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { busyboxRoot, importBusybox } from '../support/images.ts'
import { addNode } from '../support/node-root.ts'
import { blocksOf } from '../support/pages.ts'
import { PrivateHost } from '../support/private-host.ts'
import { Terminal } from '../support/terminal.ts'

const run = promisify(execFile)

/** No registry is asked for a base image; npm's is, as this machine asks it. */
const DOCKER = `
case $1 in
  build) shift; set -- build --network=host --build-arg=NODE_IMAGE=node "$@" ;;
  run)
    case " $* " in *' --network '*) ;; *) shift; set -- run --network=none "$@" ;; esac
    case " $* " in *' --detach '*) shift; set -- run --health-interval=1s "$@" ;; esac ;;
esac
exec /usr/bin/docker "$@"`

describe('Stowage in a container', function () {
  needs('root', 'docker', 'busybox')
  this.timeout(600_000)
  let host: PrivateHost
  let terminal: Terminal
  let blocks: readonly string[]

  before(async () => {
    const page = await blocksOf('docs/container.md')
    blocks = page.map(({ text }) => text)
    host = await PrivateHost.open()
    await host.startDockerd()
    await importBusybox(host)
    await host.docker('tag bb alpine')
    await importNode()
    terminal = await Terminal.open(host, { docker: DOCKER })
  })
  after(() => host?.close())

  it('is built by the Dockerfile and started', async () => {
    await type(0)
    const [size = 0, base = 0] = await Promise.all(
      ['stowage', 'node'].map(sizeOf),
    )
    const more = Math.round((size - base) / 2 ** 20)
    console.log(`      image: ${more} MiB more than its base`)
  })

  it('serves volumes to Docker, also those that it mounts itself', async () => {
    expect(await type(1)).to.match(/^db\ncache\nhello\nhello\n/)
  })

  it('is healthy by the check that comes with the image', async () => {
    const health = 'inspect -f {{.State.Health.Status}} stowage'
    while ((await host.docker(health)) !== 'healthy') await sleep(200)
  })

  it('has its volumes when it is replaced, and containers keep them', async () => {
    await host.docker(
      'run --detach --network=none --name user --volume db:/data --volume cache:/cache alpine sleep 1000',
    )
    expect(await type(2)).to.match(/hello\nhello\n$/)
    const seen = 'exec user cat /data/file /cache/file'
    expect(await host.docker(seen)).to.equal('hello\nhello')
    await host.docker('rm --force user')
    await host.docker('volume rm db cache')
  })

  /** What a block of the page says. */
  function type(block: number): Promise<string> {
    return terminal.type(blocks[block] ?? '')
  }

  async function sizeOf(image: string): Promise<number> {
    return Number(await host.docker(`image inspect -f {{.Size}} ${image}`))
  }

  /** An image `node` of this machine's own programs. */
  async function importNode(): Promise<void> {
    const root = join(host.directory, 'node')
    await busyboxRoot(root)
    await fs.mkdir(join(root, 'usr/bin'), { recursive: true })
    await fs.symlink('/bin/busybox', join(root, 'usr/bin/env'))
    const env = await addNode(root)
    const tar = `${root}.tar`
    await run('tar', ['-C', root, '--numeric-owner', '-cf', tar, '.'])
    const changes = Object.entries(env).map(
      ([name, value]) => `--change=ENV ${name}=${value}`,
    )
    await host.docker('import', ...changes, tar, 'node')
    await fs.rm(root, { recursive: true })
    await fs.rm(tar)
  }
})
