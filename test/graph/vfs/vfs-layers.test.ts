import type { Home } from '../../../src/graph/home.ts'
import { VfsLayers } from '../../../src/graph/vfs/vfs-layers.ts'
import { describeDriver } from '../../../src/conformance/describe-driver.ts'
import { describeLayerDriver } from '../../../src/conformance/describe-layer-driver.ts'
import { describeProtoDriver } from '../../../src/conformance/describe-proto-driver.ts'
import { mounted, naive, native } from '../../../src/conformance/open-graph.ts'

const open = (home: Home) => VfsLayers.open(home)

describeLayerDriver('vfs', open)
describeProtoDriver('vfs', mounted(open))
describeDriver('vfs, naively,', naive(open))
describeDriver('vfs', native(open))
