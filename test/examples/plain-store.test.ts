import { PlainStore } from '../../examples/plain-store/plain-store.ts'
import { describeSimpleStore } from '../../src/conformance/describe-simple-store.ts'
import { SHARED_MEMORY } from '../../src/conformance/temp-dir.ts'

describeSimpleStore('the plain store', (home) => new PlainStore(home), {
  under: () => SHARED_MEMORY,
})
