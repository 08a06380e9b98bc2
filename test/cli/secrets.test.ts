import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { askAdmin } from '../support/admin.ts'
import { type DaemonProcess, useDaemons } from '../support/daemon-process.ts'

const run = promisify(execFile)
const MAIN = join(import.meta.dirname, '../../src/main.js')

/** Stands wherever somebody might keep a secret. */
const CANARY = 'canary-7f3a9c'

describe('A secret', function () {
  needs('root')
  this.timeout(60_000)
  const place = useDaemons()

  it('is in no record, log, metric, answer or bundle', async () => {
    const daemon = await place.start({
      settings: { STOWAGE_LOG_LEVEL: 'debug', UPSTREAM_PASSWORD: CANARY },
    })
    await daemon.logged('Serving')
    const stowage = commandOf(daemon)
    await stowage('volume', 'create', 'db')
    const data = join(daemon.dataRoot, 'volumes/default/volumes/db/data')
    await fs.writeFile(join(data, CANARY), CANARY)
    // Typed where no secret belongs, and refused: that is only said to whoever did.
    await stowage('store', 'add', `x=local:/x?password=${CANARY}`)
    await stowage('volume', 'create', 'x', '--opt', `password=${CANARY}`)
    const said = [
      await stowage('export', 'db', join(place.path, 'db.tar')),
      await stowage('volume', 'inspect', 'db', '--json'),
      await stowage('events', '--last', '100', '--json'),
      await stowage('job', 'ls', '--json'),
      await stowage('doctor', '--bundle', join(place.path, 'bundle.json')),
      (await askAdmin(daemon.adminSocketPath, 'GET /metrics')).text,
      (await askAdmin(daemon.adminSocketPath, 'GET /')).text,
      await fs.readFile(join(place.path, 'bundle.json'), 'utf8'),
      JSON.stringify(
        await daemon.docker.call('VolumeDriver.Get', { Name: 'db' }),
      ),
    ]
    const { stdout, stderr } = await daemon.stop()
    const kept = await records(daemon.dataRoot)
    const texts = [...said, stdout, stderr, ...kept.values()]
    for (const text of texts) expect(text).to.not.include(CANARY)
    // It was told of all the same.
    expect(kept.get('audit/audit.log')).to.include('addStore')
  })
})

/** What the command says, be it refused or not. */
function commandOf({
  adminSocketPath,
}: DaemonProcess): (...words: readonly string[]) => Promise<string> {
  const env = {
    PATH: process.env.PATH,
    STOWAGE_ADMIN_SOCKET: adminSocketPath,
    UPSTREAM_PASSWORD: CANARY,
  }
  return async (...words) => {
    try {
      const said = await run(process.execPath, [MAIN, ...words], { env })
      return said.stdout + said.stderr
    } catch (error) {
      return String(Reflect.get(Object(error), 'stderr'))
    }
  }
}

/** Everything on disk but what is in the volumes themselves. */
async function records(root: string): Promise<ReadonlyMap<string, string>> {
  const entries = await fs.readdir(root, {
    recursive: true,
    withFileTypes: true,
  })
  const found = new Map<string, string>()
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(root.length + 1)
    if (name.includes('/data/')) continue
    found.set(name, `${name}\n${await fs.readFile(path, 'latin1')}`)
  }
  return found
}
