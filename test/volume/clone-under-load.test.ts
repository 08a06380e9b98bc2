import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { BtrfsKeeping } from '../../src/volume/btrfs/btrfs-keeping.ts'
import type { FolderStore } from '../../src/volume/folder-store.ts'
import { LoopKeeping } from '../../src/volume/loop/loop-keeping.ts'
import { parseVolumeOptions } from '../../src/volume/volume-options.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import {
  type FilesystemKind,
  useLoopFilesystem,
} from '../support/loop-filesystem.ts'
import { type OpenStore, storeKeptBy } from '../support/open-store.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

const run = promisify(execFile)

const SCHEMA = 'CREATE TABLE a (x, y); CREATE TABLE b (x, y);\n'

/** One transaction, after which both tables have equally many rows. */
const TRANSACTION = `BEGIN;
WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 40)
INSERT INTO a SELECT x, hex(randomblob(200)) FROM n;
INSERT INTO b SELECT x, y FROM a ORDER BY rowid DESC LIMIT 40;
COMMIT;
`

describeClonesOn(
  'btrfs',
  'btrfs',
  storeKeptBy((store) => BtrfsKeeping.open(store)),
)
describeClonesOn(
  'loop',
  'xfs',
  storeKeptBy((store) => LoopKeeping.open(store)),
)

/** Clones of a volume in which a database is at work. */
function describeClonesOn(
  kind: string,
  filesystem: FilesystemKind,
  open: OpenStore,
): void {
  describe(`A database in a ${kind} volume`, () => {
    needs('sqlite3')
    const disk = useLoopFilesystem(filesystem)
    let store: FolderStore
    let database: ChildProcess

    afterEach(async () => {
      database.kill('SIGKILL')
      await store.close()
    })
    const home = useTempDir(() => disk.path)
    beforeEach(async () => {
      store = await open(home.path)
    })

    it('is whole in each of its clones, taken while it writes', async () => {
      await store.create('source', parseVolumeOptions({ capacity: '500MiB' }))
      const path = await store.mount('source')
      database = start(join(path, 'db'))
      let before = 0
      for (const name of ['first', 'second', 'third']) {
        await pause(200)
        await store.create(name, parseVolumeOptions({ from: 'source' }))
        const clone = join(await store.mount(name), 'db')
        expect(await ask(clone, 'PRAGMA integrity_check')).to.equal('ok')
        const [a, b] = await Promise.all(
          ['a', 'b'].map((table) =>
            ask(clone, `SELECT count(*) FROM ${table}`),
          ),
        )
        expect(a).to.equal(b)
        expect(Number(a)).to.be.above(before)
        before = Number(a)
        await ask(clone, `${TRANSACTION} SELECT 1`)
      }
      const files = await fs.readdir(path)
      expect(files).to.include('db')
    })
  })
}

/** Writes one transaction after the other until it is killed. */
function start(file: string): ChildProcess {
  const child = spawn('sqlite3', [file], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  void feed(child)
  return child
}

async function feed(child: ChildProcess): Promise<void> {
  const { stdin } = child
  if (stdin === null) return
  stdin.on('error', () => undefined)
  stdin.write(`PRAGMA journal_mode = WAL; ${SCHEMA}`)
  while (child.exitCode === null && child.signalCode === null) {
    if (!stdin.write(TRANSACTION)) await once(stdin, 'drain')
  }
}

async function ask(file: string, question: string): Promise<string> {
  const { stdout } = await run('sqlite3', [file, question])
  return stdout.trim()
}
