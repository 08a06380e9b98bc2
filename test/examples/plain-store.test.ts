import { PlainStore } from '../../examples/plain-store/plain-store.ts'
import { describeVolumeStorer } from '../../src/conformance/describe-volume-storer.ts'

describeVolumeStorer('the plain store', async (home) => new PlainStore(home))
