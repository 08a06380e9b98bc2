import type { Home } from '../../../src/graph/home.ts'
import { OverlayLayers } from '../../../src/graph/overlay/overlay-layers.ts'
import { describeDriver } from '../../../src/conformance/describe-driver.ts'
import { describeLayerDriver } from '../../../src/conformance/describe-layer-driver.ts'
import { describeProtoDriver } from '../../../src/conformance/describe-proto-driver.ts'
import { mounted, naive, native } from '../../../src/conformance/open-graph.ts'
import { useLoopFilesystem } from '../../support/loop-filesystem.ts'

const open = (home: Home) => OverlayLayers.open(home)

/** Whether to run every suite on every filesystem, which takes its time. */
const isThorough = process.env.STOWAGE_THOROUGH === '1'

for (const kind of ['ext4', 'xfs', 'btrfs'] as const) {
  describe(`On ${kind}`, () => {
    const disk = useLoopFilesystem(kind)
    const options = { on: ['overlay'], under: () => disk.path } as const

    describeLayerDriver('overlay', open, options)
    if (!isThorough) return
    describeProtoDriver('overlay', mounted(open), options)
    describeDriver('overlay', native(open), options)
    describeDriver('overlay, naively,', naive(open), options)
  })
}
