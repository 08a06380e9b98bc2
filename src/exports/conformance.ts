/**
 * The contracts as suites for mocha, with chai.
 *
 * @module stowage/conformance
 */
export { type Capability, missing, needs } from '../conformance/capabilities.ts'
export { describeDriver } from '../conformance/describe-driver.ts'
export { describeLayerDriver } from '../conformance/describe-layer-driver.ts'
export { describeProtoDriver } from '../conformance/describe-proto-driver.ts'
export { describeSimpleStore } from '../conformance/describe-simple-store.ts'
export { describeVolumeStorer } from '../conformance/describe-volume-storer.ts'
export {
  type Opened,
  type Opener,
  type OpenLayers,
} from '../conformance/open-graph.ts'
export { examine, type ExamineOptions } from '../conformance/wire/examine.ts'
export type { Area, Outcome } from '../conformance/wire/check.ts'
export { type Scorecard, scorecard } from '../conformance/wire/scorecard.ts'
export { served } from '../conformance/served.ts'
export type { Exceptions, SuiteOptions } from '../conformance/suite-options.ts'
export { type TempDir, useTempDir } from '../conformance/temp-dir.ts'
