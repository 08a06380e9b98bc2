import type { Home } from '../../../src/graph/home.ts'
import { OverlayLayers } from '../../../src/graph/overlay/overlay-layers.ts'
import { describeDriver } from '../../contracts/describe-driver.ts'
import { describeLayerDriver } from '../../contracts/describe-layer-driver.ts'
import { describeProtoDriver } from '../../contracts/describe-proto-driver.ts'
import { mounted, naive, native } from '../../support/open-graph.ts'

const open = (home: Home) => OverlayLayers.open(home)

describeLayerDriver('overlay', open, { on: ['overlay'] })
describeProtoDriver('overlay', mounted(open), { on: ['overlay'] })
describeDriver('overlay, naively,', naive(open), { on: ['overlay'] })
describeDriver('overlay', native(open), { on: ['overlay'] })
