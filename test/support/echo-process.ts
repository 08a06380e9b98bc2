import { setTimeout as sleep } from 'node:timers/promises'
import { NotFoundError } from '../../src/base/errors.ts'
import { serveProcess } from '../../src/base/side-process.ts'

/** What the process of `side-process.test.ts` does. */
export type EchoProcessCalls = {
  twice(value: number): Promise<number>
  wait(milliseconds: number): Promise<void>
  fail(message: string, code: string): Promise<void>
  miss(message: string): Promise<void>
  tell(text: string): Promise<void>
  die(): Promise<void>
  pid(): Promise<number>
}

const note = serveProcess({
  twice: async (value) => value * 2,
  wait: (milliseconds) => sleep(milliseconds),
  async fail(message, code) {
    throw Object.assign(new Error(message), { code })
  },
  async miss(message) {
    throw new NotFoundError(message)
  },
  tell: async (text) => note(text),
  async die() {
    process.exit(3)
  },
  pid: async () => process.pid,
} satisfies EchoProcessCalls)
