import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  attachLoop,
  detachLoop,
  growLoop,
  loopDevices,
} from '../../src/linux/loop.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

const MIB = 1024 * 1024

describe('attachLoop', () => {
  needs('root', 'loop')
  const home = useTempDir()
  let file: string

  beforeEach(async () => {
    file = join(home.path, 'image')
    await fs.writeFile(file, 'the first sector')
    await fs.truncate(file, MIB)
  })

  it('shows a file as a block device, until the scope ends', async () => {
    {
      await using device = await attachLoop(file)
      expect(await read(device.path, 16)).to.equal('the first sector')
      const found = await deviceOf(file)
      expect(found).to.deep.equal({
        path: device.path,
        backingFile: file,
        bytes: MIB,
        readonly: false,
        autoclear: true,
        directIo: false,
      })
    }
    expect(await deviceOf(file)).to.equal(undefined)
  })

  it('can go past the page cache, and can be read-only', async () => {
    await using direct = await attachLoop(file, { directIo: true })
    expect(await deviceOf(file)).to.include({
      path: direct.path,
      directIo: true,
    })
    const other = join(home.path, 'other')
    await fs.copyFile(file, other)
    await using readonly = await attachLoop(other, { readonly: true })
    expect(await deviceOf(other)).to.include({
      path: readonly.path,
      readonly: true,
    })
  })

  it('gives files that come at once a device each', async () => {
    const files = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) =>
      join(home.path, name),
    )
    for (const name of files) await fs.copyFile(file, name)
    const devices = await Promise.all(files.map((name) => attachLoop(name)))
    const paths = new Set(devices.map(({ path }) => path))
    expect(paths.size).to.equal(files.length)
    for (const device of devices) await device[Symbol.asyncDispose]()
    for (const name of files) {
      expect(await deviceOf(name), name).to.equal(undefined)
    }
  })

  it('makes the device grow with its file', async () => {
    await using device = await attachLoop(file)
    await fs.truncate(file, 3 * MIB)
    expect((await deviceOf(file))?.bytes).to.equal(MIB)
    await growLoop(device.path)
    expect((await deviceOf(file))?.bytes).to.equal(3 * MIB)
  })

  it('frees a device that is still open once it is let go', async () => {
    const device = await attachLoop(file)
    await detachLoop(device.path)
    await device[Symbol.asyncDispose]()
    expect(await deviceOf(file)).to.equal(undefined)
  })
})

async function deviceOf(file: string) {
  const devices = await loopDevices()
  return devices.find(({ backingFile }) => backingFile === file)
}

async function read(device: string, bytes: number): Promise<string> {
  await using handle = await fs.open(device, 'r')
  const { buffer } = await handle.read(Buffer.alloc(bytes), 0, bytes, 0)
  return buffer.toString()
}
