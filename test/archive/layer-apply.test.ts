import type { Confinement } from '../../src/linux/confinement.ts'
import { applyLayer } from '../../src/archive/layer-apply.ts'
import { describeLayerApply } from '../contracts/describe-layer-apply.ts'
import { describeLayerConfinement } from '../contracts/describe-layer-confinement.ts'
import type { ApplyLayer } from '../support/layer.ts'

const confinedBy =
  (confinement: Confinement): ApplyLayer =>
  (root, tar, options) =>
    applyLayer(root, tar, { ...options, confinement })

describeLayerApply('in a root of its own', confinedBy('own-root'))
describeLayerApply('confined by openat2', confinedBy('in-root'))

describeLayerConfinement('in a root of its own', confinedBy('own-root'))
describeLayerConfinement('confined by openat2', confinedBy('in-root'))
