import type { Candidate } from './driver-choice.ts'

/** Every way to keep layers, in the order in which `auto` tries them. */
export const DRIVERS: readonly Candidate[] = []
