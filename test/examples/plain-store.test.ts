import { PlainStore } from '../../examples/plain-store/plain-store.ts'
import { wholeStore } from '../../src/volume/whole-store.ts'
import { describeVolumeStorer } from '../../src/conformance/describe-volume-storer.ts'

describeVolumeStorer('the plain store', async (home) =>
  wholeStore(new PlainStore(home)),
)
