import * as fs from 'node:fs/promises'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import { applyLayer } from '../../src/archive/layer-apply.ts'
import { InvalidArgumentError } from '../../src/base/errors.ts'
import type { Confinement } from '../../src/linux/confinement.ts'
import { mount } from '../../src/linux/mount.ts'
import { describeLayerApply } from '../contracts/describe-layer-apply.ts'
import { describeLayerConfinement } from '../contracts/describe-layer-confinement.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { forgeTar } from '../../src/conformance/forge-tar.ts'
import { type ApplyLayer, useLayer } from '../support/layer.ts'
import { appliedToOverlay } from '../support/overlay-apply.ts'

const confinedBy =
  (confinement: Confinement): ApplyLayer =>
  (root, tar, options) =>
    applyLayer(root, tar, { ...options, confinement })

describeLayerApply('in a root of its own', confinedBy('own-root'))
describeLayerApply('confined by openat2', confinedBy('in-root'))
describeLayerApply('to an overlay', appliedToOverlay('own-root'), ['overlay'])
describeLayerApply(
  'to an overlay, confined by openat2',
  appliedToOverlay('in-root'),
  ['overlay'],
)

describeLayerConfinement('in a root of its own', confinedBy('own-root'))
describeLayerConfinement('confined by openat2', confinedBy('in-root'))

describe('applyLayer', () => {
  needs('root')
  const { apply, at } = useLayer(applyLayer)

  it('tells of a full disk as the system does, and of which file', async () => {
    await fs.mkdir(at('small'))
    const spec = { type: 'tmpfs', source: 'none', options: ['size=256k'] }
    mount(spec, at('small'))
    const tar = forgeTar(
      { name: 'fits', content: 'x' },
      { name: 'big', content: Buffer.alloc(1 << 20) },
    )
    const error = await expectRejection(
      applyLayer(at('small'), Readable.from([tar])),
      Error,
    )
    expect(error).to.include({ code: 'ENOSPC' })
    expect(error.message).to.contain('"big"')
  })

  it('leaves no descriptor open when the threads of many at once have gone', async () => {
    await applyMany(at)
    const before = await openDescriptors()
    for (let times = 0; times < 3; times++) await applyMany(at)
    expect(await openDescriptors()).to.be.at.most(before + 6)
  })

  it('makes a device 0:0 that deletes nothing', async () => {
    await apply({ name: 'file', type: '3', devMajor: 0, devMinor: 0 })
    expect((await fs.lstat(at('file'))).isCharacterDevice()).to.equal(true)
  })

  it('lets no layer set what overlay keeps in an upper directory', async () => {
    await fs.mkdir(at('upper'))
    for (const name of ['trusted.overlay.opaque', 'user.overlay.redirect']) {
      const tar = forgeTar({
        name: 'd/',
        type: '5',
        pax: { [`SCHILY.xattr.${name}`]: 'y' },
      })
      const error = await expectRejection(
        applyLayer(at('upper'), Readable.from([tar]), { lowers: [] }),
        InvalidArgumentError,
      )
      expect(error.message).to.contain(name)
    }
  })
})

async function openDescriptors(): Promise<number> {
  return (await fs.readdir('/proc/self/fd')).length
}

/** Applies more layers at once than there are threads that are kept. */
async function applyMany(at: (name: string) => string): Promise<void> {
  const applies = Array.from({ length: 12 }, async (_, one) => {
    await fs.mkdir(at(`root${one}`), { recursive: true })
    const tar = forgeTar({ name: 'file', content: 'x' })
    await applyLayer(at(`root${one}`), Readable.from([tar]))
  })
  await Promise.all(applies)
}
