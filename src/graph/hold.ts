import type { Hold, LayerId, ProtoDriver } from './driver.ts'

/** Holds a layer mounted: `await using layer = await hold(driver, id)`. */
export async function hold(driver: ProtoDriver, id: LayerId): Promise<Hold> {
  if (driver.hold !== undefined) return driver.hold(id)
  const mountpoint = await driver.get(id)
  return {
    mountpoint,
    isWritten: true,
    [Symbol.asyncDispose]: () => driver.put(id),
  }
}
