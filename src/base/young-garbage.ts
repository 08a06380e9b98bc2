import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Frees what became garbage a moment ago, in well under a millisecond.
 *
 * The chunks of a stream lie outside V8's heap, where they count as little: it sees
 * no young garbage worth a look, until so many megabytes hang on it that it marks
 * the whole heap instead, ten times for a layer of 200 MB. That was a quarter of
 * what applying one took. Whoever lets many chunks pass calls this now and then.
 */
export function collectYoungGarbage(): void {
  collect ??= exposedCollector()
  collect({ type: 'minor' })
}

type Collector = (options: { readonly type: 'minor' }) => void

let collect: Collector | undefined

/** Node shows its collector to whoever asks for it, in a context made meanwhile. */
function exposedCollector(): Collector {
  setFlagsFromString('--expose-gc')
  const found: unknown = runInNewContext('gc')
  setFlagsFromString('--no-expose-gc')
  return isCollector(found) ? found : () => {}
}

function isCollector(value: unknown): value is Collector {
  return typeof value === 'function'
}
