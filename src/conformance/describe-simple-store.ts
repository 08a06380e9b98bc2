import type { SimpleStore } from '../volume/simple-store.ts'
import { wholeStore } from '../volume/whole-store.ts'
import { describeVolumeStorer } from './describe-volume-storer.ts'
import type { Exceptions, SuiteOptions } from './suite-options.ts'

const UNTOLD = 'a simple store has no such method, and that is told'

/** What is asked of a `VolumeStorer` by methods that a `SimpleStore` has not. */
const BEYOND: Exceptions = {
  'can be changed, and stays so': UNTOLD,
  'is not changed of a volume that is not there': UNTOLD,
  'tells how much room there is for all': UNTOLD,
}

/** Describes what a {@link SimpleStore} promises, as it is when it is served. */
export function describeSimpleStore(
  name: string,
  open: (home: string) => Promise<SimpleStore> | SimpleStore,
  { except = {}, ...options }: SuiteOptions = {},
): void {
  describeVolumeStorer(name, async (home) => wholeStore(await open(home)), {
    ...options,
    except: { ...BEYOND, ...except },
  })
}
