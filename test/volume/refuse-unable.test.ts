import { expect } from 'chai'
import { NotSupportedError } from '../../src/base/errors.ts'
import { refuseUnable } from '../../src/volume/refuse-unable.ts'
import { parseVolumeOptions } from '../../src/volume/volume-options.ts'
import { MemoryVolumeStore } from '../support/memory-volume-store.ts'

describe('refuseUnable', () => {
  const store = new MemoryVolumeStore('default', '/nowhere')

  it('lets pass what asks nothing of a store', () => {
    const typed = {
      store: 'default',
      protect: 'true',
      ro: 'false',
      'label.team': 'blue',
    }
    refuseUnable(parseVolumeOptions(typed), store)
  })

  for (const [option, value] of Object.entries({
    capacity: '1G',
    path: '/srv',
    uid: '0',
    gid: '0',
    mode: '0',
    ro: '',
  })) {
    it(`refuses ${option} with the reason of a store that cannot`, () => {
      const options = parseVolumeOptions({ [option]: value })
      expect(() => refuseUnable(options, store)).to.throw(
        NotSupportedError,
        `Volume store "default" cannot honour the option "${option}", because it forgets all but names`,
      )
    })

    it(`takes ${option} where the store can`, () => {
      const { maxNameBytes } = store.capabilities
      const able = new MemoryVolumeStore('default', '/nowhere')
      Object.assign(able, {
        capabilities: {
          maxNameBytes,
          capacity: true,
          ownership: true,
          ro: true,
          path: true,
          from: true,
        },
      })
      refuseUnable(parseVolumeOptions({ [option]: value }), able)
    })
  }
})
