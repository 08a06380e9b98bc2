import { readFile } from 'node:fs/promises'
import { expect } from 'chai'

/** What the documents say of the length of examples, imports included. */
const SIZES: Readonly<Record<string, number>> = {
  'plain-store/plain-store.ts': 40,
  'copy-driver/copy-driver.ts': 60,
}

describe('The examples', () => {
  for (const [example, size] of Object.entries(SIZES)) {
    it(`have ${size} lines of code at most in ${example}`, async () => {
      const text = await readFile(`examples/${example}`, 'utf8')
      const lines = text.split('\n').map((line) => line.trim())
      const code = lines.filter((line) => !/^(?:\/[/*].*)?$/.test(line))
      expect(code.length).to.be.within(size / 2, size)
    })
  }
})
