import type { DriverOptions, DriverSource } from './open-driver.ts'
import { parseStorageOptions } from './storage-options.ts'

/** The drivers that are built in, loaded when one is opened: some have volumes only. */
export function builtInDrivers(options: DriverOptions): DriverSource {
  return {
    check(parameters) {
      parseStorageOptions(parameters.options)
    },
    async open(parameters) {
      const { openDriver } = await import('./open-driver.ts')
      return openDriver(parameters, options)
    },
  }
}
