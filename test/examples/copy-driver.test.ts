import { CopyDriver } from '../../examples/copy-driver/copy-driver.ts'
import { describeDriver } from '../../src/conformance/describe-driver.ts'
import { describeProtoDriver } from '../../src/conformance/describe-proto-driver.ts'
import { served } from '../../src/conformance/served.ts'

const copies = served((directory, circumstances) => {
  return new CopyDriver(directory, circumstances)
})

describeProtoDriver('the copy driver, as it is served,', copies)
describeDriver('the copy driver, as it is served,', copies, {
  except: {
    'refuses a layer that another stands on':
      'a copy does not notice what becomes of its parent',
  },
})
