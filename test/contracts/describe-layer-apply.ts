import { type Capability, needs } from '../../src/conformance/capabilities.ts'
import type { ApplyLayer } from '../support/layer.ts'
import { describeLayerAttributes } from './describe-layer-attributes.ts'
import { describeLayerEntries } from './describe-layer-entries.ts'
import { describeLayerLinks } from './describe-layer-links.ts'
import { describeLayerStream } from './describe-layer-stream.ts'
import { describeLayerWhiteouts } from './describe-layer-whiteouts.ts'

/**
 * The rules by which a layer is applied, as tests: those that Docker's own code
 * follows, and those that it should. Every way to confine an apply runs all of them.
 */
export function describeLayerApply(
  name: string,
  applyLayer: ApplyLayer,
  on: readonly Capability[] = [],
): void {
  describe(`applyLayer, ${name},`, () => {
    needs('root', ...on)
    describeLayerEntries(applyLayer)
    describeLayerAttributes(applyLayer)
    describeLayerLinks(applyLayer)
    describeLayerWhiteouts(applyLayer)
    describeLayerStream(applyLayer)
  })
}
