import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { importBusybox } from '../test/support/images.ts'
import { PrivateHost } from '../test/support/private-host.ts'
import { cached } from './cache.ts'
import { command } from './command.ts'
import type { Kind } from './contender.ts'
import { root } from './data-sets.ts'
import { Disk } from './disk.ts'
import type { Row, Samples } from './row.ts'
import type { Rounds } from './scenario.ts'
import { seconds, takeTurns, type Turn } from './turns.ts'

const STEPS = 20
const RUN = 'run --rm --network none'

/**
 * `docker` commands as a user types them, each side with a dockerd of its own:
 * dockerd's overlay2 against Stowage as that dockerd's storage driver.
 */
export async function benchDocker(
  samples: Samples,
  { scratch, rounds, kinds }: Rounds,
): Promise<void> {
  const image = await rootImage(scratch)
  const context = join(scratch, 'context')
  await writeContext(context)
  await using ours = await DockerHost.start(scratch, 'ours', kinds.ours)
  await using theirs = await DockerHost.start(scratch, 'theirs', kinds.theirs)
  await takeTurns({ ours, theirs }, rounds, samples, (round) =>
    turns(image, context, `r${round}`),
  )
}

function turns(
  image: string,
  context: string,
  round: string,
): readonly Turn<DockerHost>[] {
  const saved = join(context, '../saved.tar')
  const changed = `changed-${round}`
  const built = `built-${round}`
  return [
    timed(
      { name: 'docker load of the root', target: 0.9 },
      'load -q -i',
      image,
    ),
    timed({ name: 'docker save', target: 1.1 }, 'save root -o', saved),
    timed({ name: 'docker run --rm', target: 1 }, `${RUN} bb true`),
    runAtOnce({ name: 'docker run --rm, 32 at once', target: 1 }),
    timed(
      { name: `docker build of ${STEPS} steps`, target: 1 },
      `build -q --no-cache --network none -t ${built}`,
      context,
    ),
    timed(
      undefined,
      `run --network none --name ${changed} root sh -c`,
      'for f in $(find /usr/share -type f | head -n 300); do echo more >> $f; done',
    ),
    timed({ name: 'docker diff', target: 1 }, `diff ${changed}`),
    timed({ name: 'docker commit', target: 1 }, `commit ${changed} ${changed}`),
    timed(undefined, `rm ${changed}`),
    timed({ name: 'docker rmi', target: 1 }, `rmi ${built}`),
    timed(undefined, `rmi ${changed}`),
    timed({ name: 'docker rmi of the root', target: 1 }, 'rmi root'),
  ]
}

function timed(
  row: Row | undefined,
  line: string,
  ...rest: readonly string[]
): Turn<DockerHost> {
  return {
    row,
    async play({ host }) {
      await command('sync', '--file-system', host.directory)
      return seconds(() => host.docker(line, ...rest))
    },
  }
}

function runAtOnce(row: Row): Turn<DockerHost> {
  return {
    row,
    async play({ host }) {
      const runs = Array.from({ length: 32 }, () => `${RUN} bb true`)
      const taken = await seconds(() =>
        Promise.all(runs.map((line) => host.docker(line))),
      )
      return { value: taken.value / runs.length }
    },
  }
}

/** One dockerd on a disk of its own, with the storage driver to be measured. */
class DockerHost implements AsyncDisposable {
  readonly host: PrivateHost
  readonly #disk: Disk

  private constructor(host: PrivateHost, disk: Disk) {
    this.host = host
    this.#disk = disk
  }

  static async start(
    scratch: string,
    name: string,
    kind: Kind,
  ): Promise<DockerHost> {
    const disk = await Disk.make(scratch, name, 'ext4')
    const host = await PrivateHost.open(disk.path)
    if (kind === 'stowage') {
      await host.startStowage({ STOWAGE_GRAPH_DRIVER: 'overlay' })
      await host.startDockerd({ storageDriver: 'stowage' })
    } else {
      await host.startDockerd({ storageDriver: 'overlay2' })
    }
    await importBusybox(host)
    return new DockerHost(host, disk)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host.close()
    await this.#disk[Symbol.asyncDispose]()
  }
}

/** The minimal Debian as `docker save` writes it, under the name `root`. */
function rootImage(scratch: string): Promise<string> {
  return cached('root-image.tar', async (path) => {
    await using made = await DockerHost.start(scratch, 'image', 'dockerd')
    await made.host.docker('import', await root(), 'root')
    await made.host.docker('save -o', path, 'root')
  })
}

/** A Dockerfile of twenty steps that copy, write, replace and delete. */
async function writeContext(context: string): Promise<void> {
  await fs.mkdir(join(context, 'files'), { recursive: true })
  for (let n = 0; n < 50; n++) {
    await fs.writeFile(join(context, 'files', `f${n}`), `${n}\n`.repeat(1000))
  }
  const steps = Array.from({ length: (STEPS - 2) / 2 }, (_, n) => [
    `COPY files /srv/copy${n}`,
    `RUN cp -r /srv/copy${n} /srv/more${n} && rm /srv/copy${n}/f1 && mkdir -p /opt/${n}`,
  ])
  const lines = ['FROM root', 'ENV STEP=1', 'WORKDIR /srv', ...steps.flat()]
  await fs.writeFile(join(context, 'Dockerfile'), lines.join('\n'))
}
