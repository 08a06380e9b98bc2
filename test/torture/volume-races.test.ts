import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { portray } from '../../src/conformance/tree.ts'
import { mknod } from '../../src/linux/mknod.ts'
import { askAdmin } from '../support/admin.ts'
import { amount, tell } from '../support/campaign.ts'
import { type DaemonProcess, useDaemons } from '../support/daemon-process.ts'
import { buildOutside, outsideOf } from '../support/outside.ts'
import type { Swapping } from '../support/symlink-swapper.ts'

/** How often somebody and the daemon race for the same paths. */
const RACES = amount('STOWAGE_RACES', 3)

/** What stands in each file of the host, and must never be read. */
const SECRET = `secret-${randomBytes(8).toString('hex')}`

const SWAPPER = new URL('../support/symlink-swapper.js', import.meta.url)

describe('Whoever writes to a volume while it is exported, copied, rolled back and removed', function () {
  needs('root')
  this.timeout(60_000 + RACES * 20_000)
  const place = useDaemons()
  let daemon: DaemonProcess
  let before: unknown
  const outside = () => outsideOf(place.path)

  beforeEach(async () => {
    before = await buildOutside(place.path, SECRET)
    daemon = await place.start({
      settings: { STOWAGE_IMPLEMENTS: 'volume' },
    })
  })

  const ask = (operation: string, body?: unknown) =>
    askAdmin(daemon.adminSocketPath, operation, body)

  /** A volume with files in `swapped`, and the path of that. */
  const filled = async (Name: string): Promise<string> => {
    const { docker } = daemon
    await docker.call('VolumeDriver.Create', { Name, Opts: {} })
    const { Mountpoint } = await docker.call('VolumeDriver.Mount', {
      Name,
      ID: 'i',
    })
    const swapped = join(String(Mountpoint), 'swapped')
    await fs.mkdir(join(swapped, 'deep'), { recursive: true })
    await fs.writeFile(join(swapped, 'file'), 'harmless')
    for (let nth = 0; nth < 50; nth++) {
      await fs.writeFile(join(swapped, 'deep', `file${nth}`), 'harmless')
    }
    await fs.writeFile(join(swapped, 'deep/file'), 'harmless')
    // It may be copied when Docker thinks that nobody has it, whoever does.
    await docker.call('VolumeDriver.Unmount', { Name, ID: 'i' })
    return swapped
  }

  it(`has nothing outside read, written or removed, in ${RACES} races with links`, async () => {
    let asked = 0
    for (let race = 0; race < RACES; race++) {
      const name = `racing${race}`
      const swapped = await filled(name)
      const swapper = await swap({ directory: swapped, target: outside() })
      for (let nth = 0; nth < 10; nth++) {
        // One that is cut off is as good.
        const archive = await ask(`GET /volumes/${name}/archive`).catch(
          () => undefined,
        )
        expect(archive?.text ?? '').to.not.include(SECRET)
        await ask(`POST /volumes/${name}/snapshots`, { name: `s${nth}` })
        await ask(`POST /volumes/${name}/clone`, { to: `${name}-${nth}` })
        await ask(`POST /volumes/${name}/snapshots/s${nth}/rollback`)
        asked += 4
      }
      await ask(`DELETE /volumes/${name}`)
      await swapper.terminate()
      expect(await portray(outside())).to.deep.equal(before)
      expect(await filesWith(SECRET, place.path)).to.have.members([
        join(outside(), 'file'),
        join(outside(), 'deep/file'),
      ])
    }
    expect(await daemon.stop()).to.include({ code: 0 })
    tell(
      'Containers, races on volumes',
      `${RACES} volumes raced for by ${asked} exports, snapshots, clones and rollbacks, nothing outside read or touched`,
    )
  })

  it('has pipes, devices and links to files of the host copied as what they are', async () => {
    const swapped = await filled('odd')
    mknod(join(swapped, 'pipe'), 'fifo', 0o666)
    mknod(join(swapped, 'null'), 'character', 0o666, { major: 1, minor: 3 })
    await fs.link(join(outside(), 'file'), join(swapped, 'linked'))
    await fs.symlink(outside(), join(swapped, 'away'))
    const archive = await ask('GET /volumes/odd/archive')
    expect(archive.status).to.equal(200)
    const { status } = await ask('POST /volumes/odd/snapshots', { name: 's' })
    expect(status).to.equal(201)
    expect(
      (await ask('POST /volumes/odd/snapshots/s/rollback')).status,
    ).to.equal(200)
    const { ino } = await fs.lstat(join(outside(), 'file'))
    // From here on it is a file of the volume's own, with what the other held.
    await fs.writeFile(join(swapped, 'linked'), 'overwritten')
    expect((await fs.lstat(join(swapped, 'linked'))).ino).to.not.equal(ino)
    expect((await fs.lstat(join(swapped, 'pipe'))).isFIFO()).to.equal(true)
    expect(await fs.readlink(join(swapped, 'away'))).to.equal(outside())
    expect((await ask('DELETE /volumes/odd')).status).to.be.below(300)
    expect(await fs.readFile(join(outside(), 'file'), 'utf8')).to.equal(SECRET)
    expect(await fs.readdir(outside())).to.deep.equal(['deep', 'file'])
    expect(await daemon.stop()).to.include({ code: 0 })
  })
})

async function swap(swapping: Swapping): Promise<Worker> {
  const worker = new Worker(SWAPPER, { workerData: swapping })
  await once(worker, 'online')
  return worker
}

/** The regular files below `top` that have `text` in them, whatever goes meanwhile. */
async function filesWith(text: string, top: string): Promise<string[]> {
  const asked = spawn(
    'grep',
    [
      '--recursive',
      '--files-with-matches',
      '--devices=skip',
      '--no-messages',
      text,
      top,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const found = await textOf(asked.stdout)
  return found.split('\n').filter(Boolean)
}
