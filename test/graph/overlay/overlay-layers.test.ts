import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  InvalidArgumentError,
  NotSupportedError,
} from '../../../src/base/errors.ts'
import { NO_PARENT } from '../../../src/graph/driver.ts'
import type { Home } from '../../../src/graph/home.ts'
import { OverlayLayers } from '../../../src/graph/overlay/overlay-layers.ts'
import { mount } from '../../../src/linux/mount.ts'
import { describeDriver } from '../../../src/conformance/describe-driver.ts'
import { describeLayerDriver } from '../../../src/conformance/describe-layer-driver.ts'
import { describeProtoDriver } from '../../../src/conformance/describe-proto-driver.ts'
import { needs } from '../../../src/conformance/capabilities.ts'
import { expectRejection } from '../../../src/conformance/expect-rejection.ts'
import {
  mounted,
  naive,
  native,
  openLayers,
} from '../../../src/conformance/open-graph.ts'
import { useTempDir } from '../../../src/conformance/temp-dir.ts'

const open = (home: Home) => OverlayLayers.open(home)

describeLayerDriver('overlay', open, { on: ['overlay'] })
describeProtoDriver('overlay', mounted(open), { on: ['overlay'] })
describeDriver('overlay', native(open), { on: ['overlay'] })
describeDriver('overlay, naively,', naive(open), { on: ['overlay'] })

describe('OverlayLayers', () => {
  needs('root', 'overlay')
  const temp = useTempDir()
  let opened: Awaited<ReturnType<typeof openLayers>>

  beforeEach(async () => {
    opened = await openLayers(open, join(temp.path, 'home'))
  })
  afterEach(() => opened.close())

  async function stack(height: number): Promise<void> {
    await opened.driver.create('0', NO_PARENT)
    for (let index = 1; index <= height; index++) {
      await opened.driver.create(`${index}`, `${index - 1}`)
    }
  }

  it('gives the nearest lower first, each by its short link', async () => {
    await stack(2)
    const [spec] = await opened.driver.mounts('2')
    const lowers = spec?.options
      .find((option) => option.startsWith('lowerdir='))
      ?.slice('lowerdir='.length)
      .split(':')
    const targets = await Promise.all(
      lowers!.map((it) => fs.readlink(opened.home.absolute(it))),
    )
    expect(targets).to.deep.equal(['../layers/1/diff', '../layers/0/diff'])
  })

  it('describes 128 lowers within one page, and refuses a 129th', async function () {
    this.timeout(60_000)
    await stack(128)
    const [spec] = await opened.driver.mounts('128', { readonly: true })
    expect(spec?.options.join(',').length).to.be.lessThan(3500)
    await expectRejection(
      opened.driver.create('129', '128'),
      InvalidArgumentError,
      /it would have 129 layers beneath it, of at most 128/,
    )
  })

  it('states by name what an upper may not contain', async () => {
    await stack(1)
    const [spec] = await opened.driver.mounts('1')
    const off = ['index=off', 'redirect_dir=off', 'metacopy=off']
    expect(spec?.options).to.include.members(off)
  })

  it('gives links to parents alone, and sweeps those of layers that are gone', async () => {
    await stack(2)
    const links = opened.home.absolute('l')
    expect(await fs.readdir(links)).to.have.length(2)
    await fs.symlink('../layers/gone/diff', join(links, '0123456789abcdef'))
    await opened.close()
    opened = await openLayers(open, join(temp.path, 'home'))
    expect(await fs.readdir(links)).to.have.length(2)
    for (const id of ['2', '1', '0']) await opened.driver.remove(id)
    expect(await fs.readdir(links)).to.deep.equal([])
  })

  it('tells where a layer’s parts are', async () => {
    await stack(2)
    const at = (path: string) => opened.home.absolute(`layers/${path}`)
    expect(await opened.driver.metadata('2')).to.deep.equal({
      UpperDir: at('2/diff'),
      LowerDir: `${at('1/diff')}:${at('0/diff')}`,
      WorkDir: at('2/work'),
    })
    expect(await opened.driver.metadata('0')).to.deep.equal({
      UpperDir: at('0/diff'),
    })
  })

  it('tells its changes itself against the layer beneath, and no other', async () => {
    await stack(2)
    const [zero, one, two] = ['0', '1', '2'].map((id) =>
      opened.home.absolute(`layers/${id}/diff`),
    )
    const sources = [
      await opened.driver.changesIn!('2', '1'),
      await opened.driver.changesIn!('0', NO_PARENT),
      await opened.driver.changesIn!('2', '0'),
      await opened.driver.changesIn!('2', NO_PARENT),
    ]
    expect(sources).to.deep.equal([
      { upper: two, lowers: [one, zero] },
      { tree: zero },
      undefined,
      undefined,
    ])
  })

  it('is not supported where overlay cannot be mounted, and says where', async () => {
    const lower = join(temp.path, 'lower')
    const merged = join(temp.path, 'merged')
    for (const path of [lower, merged]) await fs.mkdir(path)
    const dirs = ['upper', 'work'].map((name) => join(temp.path, name))
    for (const path of dirs) await fs.mkdir(path)
    const options = [
      `lowerdir=${lower}`,
      `upperdir=${dirs[0]}`,
      `workdir=${dirs[1]}`,
    ]
    mount({ type: 'overlay', source: 'overlay', options }, merged)
    await expectRejection(
      openLayers(open, join(merged, 'home')),
      NotSupportedError,
      /overlay cannot be mounted in ".*" on overlayfs/,
    )
    expect(await fs.readdir(join(merged, 'home'))).not.to.include('new-')
  })
})
