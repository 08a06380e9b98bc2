import { applyLayer } from '../../src/archive/layer-apply.ts'
import { describeLayerApply } from '../contracts/describe-layer-apply.ts'

describeLayerApply('confined by openat2', applyLayer)
