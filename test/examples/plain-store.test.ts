import { PlainStore } from '../../examples/plain-store/plain-store.ts'
import { describeVolumeStorer } from '../../src/conformance/describe-volume-storer.ts'
import { wholeStore } from '../../src/volume/whole-store.ts'

const untold = 'a simple store has no such method, and that is told'

describeVolumeStorer(
  'the plain store',
  async (home) => wholeStore(new PlainStore(home)),
  {
    except: {
      'can be changed, and stays so': untold,
      'is not changed of a volume that is not there': untold,
      'tells how much room there is for all': untold,
    },
  },
)
