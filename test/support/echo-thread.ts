import { serveCalls } from '../../src/base/thread.ts'

/** What the thread of `thread.test.ts` does. */
export type EchoCalls = {
  twice(value: number): number
  fail(message: string, code: string): void
  die(): void
}

serveCalls({
  twice: (value) => value * 2,
  fail(message, code) {
    throw Object.assign(new Error(message), { code })
  },
  die() {
    process.exit(3)
  },
} satisfies EchoCalls)
