import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { AdminClient } from '../../src/cli/admin-client.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { importBusybox } from '../support/images.ts'
import {
  type LoopFilesystem,
  loopFilesystem,
} from '../support/loop-filesystem.ts'
import { PrivateHost } from '../support/private-host.ts'

/** One transaction, after which both tables have equally many rows. */
const TRANSACTION = `BEGIN;
DELETE FROM a WHERE rowid <= (SELECT max(rowid) - 400 FROM a);
DELETE FROM b WHERE rowid <= (SELECT max(rowid) - 400 FROM b);
WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 40)
INSERT INTO a SELECT x, hex(randomblob(100)) FROM n;
INSERT INTO b SELECT x, y FROM a ORDER BY rowid DESC LIMIT 40;
COMMIT;
`

/** Writes one transaction after the other, as fast as it can. */
const WRITE = `(echo 'CREATE TABLE a (x, y); CREATE TABLE b (x, y);'
while :; do cat /transaction; done) | sqlite3 /vol/db`

const CHECK = `PRAGMA integrity_check;
SELECT (SELECT count(*) FROM a) = (SELECT count(*) FROM b);
SELECT count(*) > 0 FROM a;`

const IN_CONTAINER = 'run --rm --network=none --volume'

describe('A database in a real container', function () {
  needs('root', 'docker', 'busybox', 'btrfs', 'loop', 'ext4', 'sqlite3')
  this.timeout(240_000)
  let disk: LoopFilesystem
  let btrfs: LoopFilesystem
  let host: PrivateHost
  let admin: AdminClient

  before(async () => {
    disk = await loopFilesystem('ext4', '4G')
    btrfs = await loopFilesystem('btrfs', '2G')
    host = await PrivateHost.open(disk.path)
    await startStowage()
    await host.startDockerd()
    const programs = ['/usr/bin/sqlite3']
    await importBusybox(host, { transaction: TRANSACTION }, { programs })
    const socket = join(host.directory, 'admin.sock')
    admin = new AdminClient(socket, new AbortController().signal)
  })
  after(async () => {
    await host?.close()
    await btrfs?.close()
    await disk?.close()
  })

  for (const { store, live } of [
    { store: 'loop', live: false },
    { store: 'btrfs', live: true },
  ]) {
    it(`is snapshotted in a ${store} volume while it writes, and starts on the clone`, async () => {
      const [source, copy] = [`${store}-source`, `${store}-copy`]
      await host.docker(
        `volume create --driver stowage --opt store=${store} --opt capacity=64MiB`,
        source,
      )
      await host.docker(
        `run --detach --network=none --name writer-${store} --volume ${source}:/vol bb sh -c`,
        WRITE,
      )
      await hasRows(`writer-${store}`)
      const params = { name: source }
      if (!live) {
        await expectRejection(
          admin.ask('createSnapshot', { params, body: { name: 'live' } }),
          Error,
          /cannot copy it meanwhile, because .*takes as long as its data is large: stop its containers, or snapshot it with --pause/,
        )
      }
      const body = { name: 'live', pause: !live }
      await admin.ask('createSnapshot', { params, body })
      await cloned({ store, source, copy, live })

      expect(await asked(copy)).to.equal('ok\n1\n1')
      await host.docker('rm --force', `writer-${store}`)
      const before = await counted(source)
      await admin.ask('rollbackVolume', {
        params: { name: source, snapshot: 'live' },
      })
      expect(await asked(source)).to.equal('ok\n1\n1')
      expect(await counted(source)).to.be.below(before)
    })
  }

  it('keeps its snapshots over a kill, and tells Docker of them', async () => {
    await host.stopStowage('SIGKILL')
    await startStowage()
    for (const name of ['loop-source', 'btrfs-source']) {
      const status = '{{range .Status.snapshots}}{{println .}}{{end}}'
      const seen = await host.docker('volume inspect --format', status, name)
      expect(seen.split('\n').filter((line) => line !== '')).to.have.length(2)
      expect(seen).to.match(/^before-rollback-.*\nlive/)
      expect(await asked(name)).to.equal('ok\n1\n1')
    }
  })

  it('meets the end of a volume that was made larger, and harms no other', async () => {
    for (const [store, failure] of [
      ['loop', /No space left on device/],
      ['btrfs', /[Qq]uota exceeded/],
    ] as const) {
      const params = { name: `${store}-copy` }
      await admin.ask('resizeVolume', {
        params,
        body: { capacity: '96MiB' },
      })
      const inCopy = `${IN_CONTAINER} ${store}-copy:/vol bb sh -c`
      expect(await host.docker(inCopy, fill(70))).to.match(/fits$/)
      await expectRejection(host.docker(inCopy, fill(120)), Error, failure)
      await host.docker(inCopy, 'rm -f /vol/much')
      for (const name of [`${store}-copy`, `${store}-source`]) {
        expect(await asked(name)).to.equal('ok\n1\n1')
      }
    }
  })

  async function hasRows(container: string): Promise<void> {
    const count = 'sqlite3 /vol/db "SELECT count(*) > 200 FROM a" || true'
    while ((await host.docker('exec', container, 'sh', '-c', count)) !== '1') {
      await sleep(200)
    }
  }

  /** As Docker creates it where it is done at once; elsewhere it is a job. */
  async function cloned({
    store,
    source,
    copy,
    live,
  }: Readonly<
    Record<'store' | 'source' | 'copy', string> & { live: boolean }
  >): Promise<void> {
    const create = `volume create --driver stowage --opt store=${store} --opt from=${source}@live`
    if (live) {
      await host.docker(create, copy)
      return
    }
    await expectRejection(
      host.docker(create, copy),
      Error,
      /use "stowage clone"/,
    )
    const { id } = await admin.ask('cloneVolume', {
      params: { name: source },
      body: { to: copy, snapshot: 'live', options: {} },
    })
    const job = () => admin.ask('inspectJob', { params: { job: id } })
    while ((await job()).state === 'running') await sleep(100)
    expect(await job()).to.include({ state: 'done' })
  }

  function asked(volume: string): Promise<string> {
    return host.docker(
      `${IN_CONTAINER} ${volume}:/vol bb sqlite3 /vol/db`,
      CHECK,
    )
  }

  async function counted(volume: string): Promise<number> {
    const count = 'SELECT max(rowid) FROM a'
    const query = `${IN_CONTAINER} ${volume}:/vol bb sqlite3 /vol/db`
    return Number(await host.docker(query, count))
  }

  function startStowage(): Promise<void> {
    return host.startStowage({
      STOWAGE_STORES: `default=local: loop=loop: btrfs=btrfs:${btrfs.path}/store`,
    })
  }
})

/** A shell command that writes so many MiB, and takes them away again. */
function fill(mib: number): string {
  return `dd if=/dev/urandom of=/vol/much bs=1M count=${mib} && sync && rm /vol/much && echo fits`
}
