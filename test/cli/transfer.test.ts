import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import {
  build,
  directory,
  fifo,
  file,
  hardLink,
  portray,
  sparseFile,
  symlink,
} from '../../src/conformance/tree.ts'
import { type DaemonProcess, useDaemons } from '../support/daemon-process.ts'

const run = promisify(execFile)
const MAIN = join(import.meta.dirname, '../../src/main.js')

/** How many files, and the bytes of the large one; the full size is 20,000 and 2 GiB. */
const FILES = Number(process.env.STOWAGE_TRANSFER_FILES ?? 1000)
const BYTES = Number(process.env.STOWAGE_TRANSFER_BYTES ?? 64 << 20)
const IN_DIRECTORY = 100

describe('A volume that moves out and in', function () {
  needs('root', 'zstd')
  this.timeout(600_000)
  const place = useDaemons()

  it('keeps every attribute of every file', async () => {
    const daemon = await place.start()
    await daemon.logged('Serving')
    await stowage(daemon, 'volume', 'create', 'db')
    await fill(dataOf(daemon, 'db'))
    const archive = join(place.path, 'db.tar.zst')
    await stowage(daemon, 'export', 'db', archive)
    await stowage(daemon, 'import', 'copy', archive)
    const [one, other] = [dataOf(daemon, 'db'), dataOf(daemon, 'copy')]
    expect(await portray(other)).to.deep.equal(await portray(one))
    // What was sparse is sparse again.
    const { blocks } = await fs.stat(join(other, 'large'))
    expect(blocks * 512).to.be.below(BYTES / 2)
  })
})

function dataOf({ dataRoot }: DaemonProcess, name: string): string {
  return join(dataRoot, 'volumes/default/volumes', name, 'data')
}

async function stowage(
  daemon: DaemonProcess,
  ...words: readonly string[]
): Promise<void> {
  const env = {
    PATH: process.env.PATH,
    STOWAGE_ADMIN_SOCKET: daemon.adminSocketPath,
  }
  await run(process.execPath, [MAIN, ...words], { env })
}

async function fill(root: string): Promise<void> {
  await build(
    root,
    sparseFile('large', BYTES, { 0: 'begins', [BYTES - 6]: 'ends' }),
    file('setuid', 'x', { mode: 0o4755, uid: 1000, gid: 1000 }),
    file('labelled', 'x', { xattrs: { 'user.colour': 'blue' } }),
    symlink('link', 'setuid'),
    hardLink('same', 'labelled'),
    fifo('fifo', { mode: 0o600 }),
  )
  for (let i = 0; i < FILES; i++) {
    const parent = `d${Math.floor(i / IN_DIRECTORY)}`
    const mtime = 1_600_000_000_000_000_000n + BigInt(i) * 1_000_003n
    await build(
      root,
      ...(i % IN_DIRECTORY === 0 ? [directory(parent, { mode: 0o750 })] : []),
      file(`${parent}/f${i}`, `file ${i}\n`.repeat(i % 200), {
        mode: 0o600 + (i % 64),
        uid: i % 5000,
        gid: i % 300,
        mtime,
      }),
    )
  }
}
