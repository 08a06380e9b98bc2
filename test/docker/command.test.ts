import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { importBusybox } from '../support/images.ts'
import {
  loopFilesystem,
  type LoopFilesystem,
} from '../support/loop-filesystem.ts'
import { PrivateHost } from '../support/private-host.ts'
import { Transcript } from '../support/transcript.ts'

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
      'docker run --detach --network=none --name keeper --volume db:/data bb sleep 1000 >/dev/null',
      'stowage volume ls',
      'stowage volume ls --json',
      'stowage volume ls --label tier=db --quiet',
      'stowage volume inspect db',
      'stowage volume inspect nothing',
      'stowage volume inspect nothing --json',
      'stowage volume rm db',
      'docker rm --force keeper >/dev/null',
      'stowage volume rm db web',
      'stowage volume ls --json',
    )
    await screen.expectSame('volume')
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
      'stowage import copy web.tar.gz',
      'stowage import copy web.tar.gz',
      'stowage import none missing.tar',
      'echo rubbish | stowage import none',
      'stowage volume inspect none',
      'stowage export web --compression zstd | stowage import piped --opt mode=0700 --json',
      'stowage import piped web.tar.gz --into --include logs',
      'ls -A | grep -E "tar|new"',
      "stowage job ls | awk '{ print $2, $3, $4 }'",
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
      'stowage volume resize db plenty',
      'stowage volume set db label.tier=db ro=true',
      'stowage volume set db --unset label.tier --unset ro --json',
      'stowage volume set db',
      'stowage volume protect db',
      'stowage volume rm db',
      'stowage volume protect db --off',
      'docker create --name keeper --volume db:/data bb >/dev/null',
      'stowage volume rename db base',
      'docker rm keeper >/dev/null',
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
      'stowage snapshot ls db',
      'stowage snapshot ls db --json',
      'stowage clone db@first then',
      'stowage clone db then',
      'stowage clone db@never never',
      'stowage snapshot rollback db first | sed s/before-rollback-[0-9a-zA-Z.-]*/SAVED/',
      'stowage snapshot rm db first',
      'stowage snapshot rm db first',
      'stowage schedule set hourly db --cron "0 * * * *" --keep 4h:1d:2w',
      'stowage schedule set bad db --cron "never" --keep 4h',
      'stowage schedule ls',
      'stowage schedule run hourly --dry-run | sed "s/would make .*/would make SNAPSHOT/; /keep/d"',
      'stowage schedule rm hourly',
      'stowage schedule rm hourly',
      'stowage schedule ls --json',
    )
    await host.shell('stowage volume rm db then')
    await screen.expectSame('snapshot')
  })

  it('lists stores, adds one, checks it and lets go of it', async () => {
    await screen.lines(
      "stowage store ls | awk '{ print $1, $2, $3, $4, $NF }'",
      `stowage store ls --json | grep -E '"(name|kind|state|origin)"'`,
      `stowage store add more=local:${host.directory}/more`,
      'stowage store add more=local:/anywhere',
      'stowage store add nonsense',
      'stowage volume create kept -o store=more',
      `rm ${host.directory}/more/volumes/kept/volume.json`,
      'stowage store check more',
      `stowage store check more --json | grep -E '"(name|state|volume|reason)"'`,
      'stowage store check nowhere',
      'stowage doctor --fix',
      'stowage store check more',
      'stowage store rm default',
      'stowage store rm more',
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
    )
    await host.docker('rm --force busy')
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

  it('follows what changes until it is interrupted', async () => {
    const following = host.shell(
      'timeout --preserve-status --signal INT 4 stowage events --json',
    )
    await sleep(2000)
    await host.docker('volume create --driver stowage followed')
    await host.docker('volume rm followed')
    const { stdout, code } = await following
    const seen = stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
    expect(seen.map(({ subject }) => subject)).to.include('followed')
    expect(code).to.equal(130)
  })
})
