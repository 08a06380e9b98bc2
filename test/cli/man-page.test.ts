import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { EXIT_CODES } from '../../src/cli/exit-codes.ts'
import { manPage } from '../../src/cli/man-page.ts'
import { VERBS } from '../../src/cli/verbs.ts'
import { FINDINGS } from '../../src/diagnosis/finding.ts'
import { needs } from '../../src/conformance/capabilities.ts'

describe('The man page', () => {
  const page = manPage(VERBS, '1.2.3')

  it('has all verbs with their examples, exit codes and findings', () => {
    const plain = page.replaceAll('\\-', '-')
    for (const { name, examples } of VERBS) {
      expect(plain).to.include(`.SS stowage ${name}\n`)
      for (const { line } of examples) {
        expect(plain).to.include(line.replaceAll('…', '...'))
      }
    }
    for (const [code] of Object.values(EXIT_CODES)) {
      expect(plain).to.include(`.B ${code}\n`)
    }
    for (const code of Object.keys(FINDINGS)) {
      expect(plain).to.include(`.B ${code}\n`)
    }
  })

  it('gives each verb at least one example that begins with its own name', () => {
    for (const { name, examples } of VERBS) {
      const [example] = examples
      expect(example?.line, name).to.include(`stowage ${name}`)
    }
  })

  describe('for groff', () => {
    needs('groff')

    it('is without fault', async () => {
      const groff = spawn('groff', ['-man', '-Tutf8', '-ww', '-z'])
      const complaints = text(groff.stderr)
      groff.stdin.end(page)
      await once(groff, 'close')
      expect(await complaints).to.equal('')
    })
  })
})
