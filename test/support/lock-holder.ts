import { SILENT } from '../../src/base/log.ts'
import { lockRoot } from '../../src/state/root-lock.ts'

// Takes the root lock of the directory it is given, says so, and waits to be killed.
await lockRoot(process.argv[2] ?? '', SILENT)
process.send?.('locked')
setInterval(() => undefined, 1000)
