import type { ExaminedSettings } from '../diagnosis/place.ts'

/** What an environment comes to, be all of it valid or not. */
export interface SettledSettings {
  readonly settings: ExaminedSettings
  /** What is wrong with settings; their defaults stand for them. */
  readonly complaints: readonly string[]
  /** Variables that look like settings and are none. */
  readonly strangers: readonly string[]
  /** All settings by variable, as they stand there or by default. */
  readonly described: ReadonlyMap<string, string>
}
