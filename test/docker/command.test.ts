import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { exists } from '../../src/state/listing.ts'
import { DockerdClient } from '../../src/conformance/dockerd-client.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { importBusybox } from '../support/images.ts'
import {
  loopFilesystem,
  type LoopFilesystem,
} from '../support/loop-filesystem.ts'
import { PrivateHost } from '../support/private-host.ts'
import { Transcript } from '../support/transcript.ts'

/** A layer that no image of Docker's has. */
const FORGOTTEN = 'f0'.repeat(32)

/**
 * Each verb beside a real dockerd: what it prints for people and for programs, what
 * it refuses, and what it ends with. The screens are in `transcripts/`.
 */
describe('The command', function () {
  needs('root', 'docker', 'busybox', 'loop', 'btrfs')
  this.timeout(300_000)
  let host: PrivateHost
  let disk: LoopFilesystem
  let screen: Transcript

  before(async () => {
    disk = await loopFilesystem('btrfs', '1G')
    host = await PrivateHost.open()
    await host.startStowage({
      STOWAGE_STORES: `default=local: small=loop:?capacity=16MiB fast=btrfs:${disk.path}/fast`,
    })
    await host.startDockerd({ storageDriver: 'stowage' })
    await importBusybox(host)
  })
  after(async () => {
    await host?.close()
    await disk?.close()
  })
  beforeEach(() => {
    screen = new Transcript((line) => host.shell(line))
  })

  it('lists, inspects, creates and removes volumes', async () => {
    await screen.lines(
      'stowage volume ls',
      'stowage volume create db -o capacity=16MiB -o store=small --label tier=db',
      'stowage volume create web -o mode=0750',
      'stowage volume create web',
      'stowage volume create ../etc',
      'stowage volume create x -o bogus=1',
      'stowage volume create x -o store=nowhere',
      'stowage volume create spare --json',
      'docker run --detach --network=none --name keeper --volume db:/data bb sleep 1000 >/dev/null',
      'stowage volume ls',
      'stowage volume ls --json',
      'stowage volume ls --label tier=db --quiet',
      'stowage volume ls --store nowhere',
      'stowage volume inspect db',
      'stowage volume inspect db --json',
      'stowage volume inspect nothing',
      'stowage volume inspect nothing --json',
      'stowage volume rm db',
      'docker rm --force keeper >/dev/null',
      'stowage volume rm db web',
      'stowage volume rm spare --json',
      'stowage volume rm nothing --json',
      'stowage volume ls --json',
    )
    await screen.expectSame('volume')
  })

  it('measures volumes, and takes in directories of the host', async () => {
    await host.shell('mkdir photos && head -c 700 /dev/zero > photos/first')
    await screen.lines(
      'stowage volume adopt photos nowhere',
      'stowage volume adopt photos photos',
      'stowage volume adopt photos photos',
      'stowage volume adopt again photos --json',
      'stowage volume ls',
      'stowage volume du | cut -c -13',
      'stowage volume du photos --json',
      'stowage volume du nothing',
      'docker run --rm --network=none --volume photos:/p bb ls /p',
      'stowage doctor',
      'stowage volume release nothing',
      'stowage volume release photos',
      'stowage volume release again --json',
      'ls photos',
    )
    await screen.expectSame('adoption')
  })

  it('keeps what was removed, and brings it back', async () => {
    await host.shell('stowage trash empty')
    await host.shell('stowage volume create db && stowage volume create web')
    await screen.lines(
      'stowage trash ls',
      'docker volume rm db',
      'stowage volume rm web',
      "stowage trash ls | awk '{ print $2, $3, $4, $5 }'",
      `stowage trash ls --json | grep -E '"(id|volume|store|removedAt)"'`,
      'stowage trash ls --store nowhere',
      'stowage volume create db',
      'stowage trash restore db',
      'stowage trash restore db db-again',
      'stowage trash restore web --json',
      'stowage trash restore web',
      'stowage volume rm db db-again web',
      'stowage trash empty db',
      `stowage trash empty $(stowage trash ls | awk '/ db / { print $1 }')`,
      'stowage trash empty db --store default',
      'stowage trash empty --store default --json',
      'stowage trash empty',
    )
    await screen.expectSame('trash')
  })

  it('moves volumes out and in, whole, filtered and by a pipe', async () => {
    await host.shell('stowage volume create web')
    await host.docker(
      'run --rm --network=none --volume web:/w bb sh -c',
      'mkdir -p /w/html /w/logs; echo hello > /w/html/index; echo x > /w/logs/l',
    )
    await screen.lines(
      'stowage export web web.tar.gz',
      'stowage export web web.tar.gz',
      'stowage export web web.tar.gz --force --json',
      'stowage export web html.tar --include html --strip html',
      'tar -tf html.tar',
      'stowage export nothing nothing.tar; ls nothing.tar',
      'stowage export web web.tar --compression brotli',
      'stowage export web nowhere/web.tar',
      'stowage import copy web.tar.gz',
      'stowage import copy web.tar.gz',
      'stowage import none missing.tar',
      'stowage import none bin',
      'stowage export nothing | stowage import none',
      'echo rubbish | stowage import none',
      'stowage volume inspect none',
      'stowage export web --compression zstd | stowage import piped --opt mode=0700 --json',
      'stowage import piped web.tar.gz --into --include logs --json',
      'ls -A | grep -E "tar|new"',
      "stowage job ls | awk '{ print $2, $3, $4 }'",
      `stowage job ls --json | grep -E '"(kind|subject|state|unit)"' | tail -n 4`,
    )
    const files = await host.docker(
      'run --rm --network=none --volume piped:/w bb sh -c',
      'cat /w/html/index; stat -c %a /w',
    )
    expect(files).to.equal('hello\n700')
    await host.shell('stowage volume rm web copy piped')
    await screen.expectSame('transfer')
  })

  it('changes what volumes are', async () => {
    await screen.lines(
      'stowage volume create db -o capacity=16MiB -o store=small',
      'stowage volume resize db 32MiB',
      'stowage volume resize db 16MiB --json',
      'stowage volume resize db plenty',
      'stowage volume resize nothing 1GiB',
      'stowage volume set db label.tier=db ro=true',
      'stowage volume set db --unset label.tier --unset ro --json',
      'stowage volume set db',
      'stowage volume set db ro=perhaps',
      'stowage volume protect db',
      'stowage volume protect nothing',
      'stowage volume rm db',
      'docker volume rm db',
      'stowage volume protect db --off --json',
      'docker create --name keeper --volume db:/data bb >/dev/null',
      'stowage volume rename db base',
      'stowage volume rename db base --json',
      'stowage volume resize db 8MiB',
      'stowage volume resize db 24MiB',
      'stowage volume resize db 16MiB --force',
      'DOCKER_HOST=unix:///nowhere stowage volume rename db base',
      'docker rm keeper >/dev/null',
      'stowage volume rename base db --json',
      'stowage volume rename db base',
      'stowage volume ls',
      'stowage volume release base',
      'stowage volume rm base',
    )
    await screen.expectSame('volume-changes')
  })

  it('keeps what volumes were, goes back to it, and clones it', async () => {
    await host.shell('stowage volume create db -o store=fast')
    await screen.lines(
      'stowage snapshot create db first',
      'stowage snapshot create db first',
      'stowage snapshot create nothing',
      'stowage snapshot create db second --json',
      'stowage snapshot ls db',
      'stowage snapshot ls db --json',
      'stowage snapshot ls nothing',
      'stowage clone db@first then',
      'stowage clone db then',
      'stowage clone db@never never',
      `stowage clone db more --json | grep -E '"(kind|subject|state)"'`,
      'docker create --name keeper --volume db:/data bb >/dev/null',
      'stowage snapshot rollback db first',
      `stowage snapshot rollback db second --force --json | grep -E '"(name|store)"'`,
      'docker rm keeper >/dev/null',
      'stowage snapshot rollback db first',
      'stowage snapshot rm db second --json',
      'stowage snapshot rm db first',
      'stowage snapshot rm db first',
      'stowage schedule set hourly db --cron "0 * * * *" --keep 4h:1d:2w',
      'stowage schedule set bad db --cron "never" --keep 4h',
      'stowage schedule set bad db --cron "0 0 31 2 *" --keep 4h',
      'stowage schedule set daily "*" --cron "30 4 * * *" --keep 2w --json',
      'stowage schedule set daily',
      'stowage schedule ls',
      'stowage schedule ls --bogus',
      'stowage schedule run hourly --dry-run',
      'stowage schedule run hourly',
      'stowage schedule run hourly --json',
      'stowage schedule run weekly',
      'stowage schedule rm hourly',
      'stowage schedule rm hourly',
      'stowage schedule ls --json',
      'stowage schedule rm daily --json',
    )
    await host.shell('stowage volume rm db then more')
    await screen.expectSame('snapshot')
  })

  it('lists stores, adds one, checks it and lets go of it', async () => {
    await screen.lines(
      "stowage store ls | awk '{ print $1, $2, $3, $4, $NF }'",
      `stowage store ls --json | grep -E '"(name|kind|state|origin)"'`,
      `stowage store add more=local:${host.directory}/more`,
      'stowage store add more=local:/anywhere',
      'stowage store add nonsense',
      `stowage store add other=local:${host.directory}/other --json | grep -vE '"(size|free)"'`,
      'stowage store ls --bogus',
      'stowage volume create kept -o store=more',
      `rm ${host.directory}/more/volumes/kept/volume.json*`,
      'stowage store check more',
      `stowage store check more --json | grep -E '"(name|state|volume|reason)"'`,
      'stowage store check nowhere',
      'stowage doctor',
      'stowage doctor --json',
      'stowage doctor --fix',
      'stowage doctor --bundle nowhere/bundle.json',
      'stowage doctor --bundle bundle.json',
      `grep -E '"(about|name|kind|damage)"' bundle.json`,
      'stowage store check more',
      'stowage store rm default',
      'stowage store rm more',
      'stowage store rm other --json',
      "stowage store ls | awk '{ print $1 }'",
    )
    await screen.expectSame('store')
  })

  it('lists layers with their containers, measures and checks them', async () => {
    await host.docker('run --detach --network=none --name busy bb sleep 1000')
    await screen.lines(
      'stowage layer ls | head -n 1',
      'stowage layer ls | tail -n +2 | cut -c 39- | sort',
      `stowage layer ls --json | grep -E '"(driver|for|isMounted)"' | sort`,
      'stowage layer du | sed 2d',
      `stowage layer du --json | grep -c '"bytes"'`,
      'stowage layer check',
      'stowage layer check --json',
      'stowage layer check --older-than long',
      'stowage layer check --fix --json',
      'stowage layer du --socket nowhere',
      'stowage layer ls --socket nowhere --json',
    )
    await host.docker('rm --force busy')
    // BuildKit leaves such layers, and a crash of dockerd does.
    const plugin = new DockerdClient(host.socket)
    await plugin.call('GraphDriver.Create', { ID: FORGOTTEN, Parent: '' })
    plugin.close()
    await screen.lines(
      'stowage layer check',
      'stowage layer check --fix',
      'stowage layer check --fix --older-than 0',
      `ls docker/stowage/layers | grep -c ${FORGOTTEN}`,
      'mv docker/stowage/layers aside && mkdir docker/stowage/layers',
      'stowage layer check',
      'stowage layer check --json',
      'rmdir docker/stowage/layers && mv aside docker/stowage/layers',
      'stowage layer check',
    )
    await screen.expectSame('layer')
  })

  it('tells what has changed, and logs more or less', async () => {
    await screen.lines(
      'stowage log level',
      'stowage log level debug',
      'stowage log level --json',
      'stowage log level loud',
      'stowage log level info',
      'stowage volume create seen; stowage volume rm seen',
      'stowage events --last 2',
      'stowage events --last 2 --json',
      'stowage events --last many',
    )
    await screen.expectSame('events')
  })

  it('stops work that is under way', async () => {
    await host.shell('stowage volume create idle && mkfifo pipe')
    // What comes after the beginning is waited for, until somebody has enough of it.
    const waiting = host.shell(
      'stowage export idle idle.tar && exec 3<>pipe && head -c 600 idle.tar >&3 && stowage import late <&3',
    )
    const job = await idOfJob(host, 'late')
    await screen.lines(
      "stowage job ls | grep late | awk '{ print $2, $3, $4 }'",
      `stowage job cancel ${job}`,
      `stowage job cancel ${job} --json | grep -E '"(kind|subject|state)"'`,
      'stowage job cancel 99',
      'stowage job ls --bogus',
      'stowage volume inspect late',
    )
    expect((await waiting).code).to.equal(130)
    await host.shell('stowage volume rm idle')
    await screen.expectSame('job')
  })

  it('teaches shells, examines plugins, and explains itself', async () => {
    const plugin = `unix://${host.directory}/run/docker/plugins/stowage.sock`
    await screen.lines(
      'stowage completion bash',
      'stowage completion tcsh',
      'stowage complete -- volume in',
      'stowage complete -- export --compression z',
      'stowage complete --bogus',
      'stowage man | sed -n 2,5p',
      'stowage man everything',
      `stowage conformance ${plugin} --only interfaces`,
      `stowage conformance ${plugin} --only interfaces --json`,
      'stowage conformance tcp://here',
      'stowage conformance unix:///nowhere',
      'stowage help volume du',
      'stowage volum ls',
      'stowage volume rm',
      'stowage volume ls --socket nowhere',
      'stowage volume ls --socket nowhere --json',
    )
    await screen.expectSame('help')
  })

  it('follows what changes until it is interrupted', async () => {
    const following = host.shell(
      'echo $$ > pid && exec stowage events --json > seen',
    )
    const path = join(host.directory, 'seen')
    while (!(await contentOf(path)).includes('"subject":"followed"')) {
      await host.docker('volume create --driver stowage followed')
      await host.docker('volume rm followed')
    }
    await host.shell('kill -INT $(cat pid)')
    expect((await following).code).to.equal(130)
    for (const line of (await contentOf(path)).split('\n').slice(0, -1)) {
      expect(JSON.parse(line)).to.include({ front: 'docker' })
    }
  })
})

/** Nothing, as long as there is no such file. */
async function contentOf(path: string): Promise<string> {
  return (await exists(path)) ? fs.readFile(path, 'utf8') : ''
}

/** The id of the job about `subject`, as soon as there is one. */
async function idOfJob(host: PrivateHost, subject: string): Promise<string> {
  for (;;) {
    const { stdout } = await host.shell('stowage job ls --json')
    const jobs: { id: string; subject: string }[] = JSON.parse(stdout)
    const job = jobs.find((one) => one.subject === subject)
    if (job !== undefined) return job.id
    await sleep(50)
  }
}
