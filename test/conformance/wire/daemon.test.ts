import { join } from 'node:path'
import { expect } from 'chai'
import { needs } from '../../../src/conformance/capabilities.ts'
import { SHARED_MEMORY } from '../../../src/conformance/temp-dir.ts'
import { examine } from '../../../src/conformance/wire/examine.ts'
import { type DaemonProcess, useDaemons } from '../../support/daemon-process.ts'

describe('The examination of the daemon', function () {
  this.timeout(300_000)
  needs('root', 'overlay')
  const place = useDaemons(() => SHARED_MEMORY)

  it('finds no fault in its volumes and in its layers', async () => {
    const settings = { STOWAGE_TRASH_TIME: '0' }
    let daemon: DaemonProcess = await place.start({ settings })
    const restart = async (): Promise<void> => {
      await daemon.stop()
      daemon = place.spawn({ settings })
    }
    const home = join(place.path, 'home')
    const options = { idle: 200, restart, home }
    const outcomes = await examine(place.socketPath, options)
    const faults = outcomes.filter(({ result }) => result !== 'kept')
    expect(faults).to.deep.equal([])
    expect(new Set(outcomes.map(({ area }) => area))).to.have.all.keys(
      'transport',
      'volumes',
      'layers',
    )
  })
})
