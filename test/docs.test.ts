import { readFile, writeFile } from 'node:fs/promises'
import { expect } from 'chai'
import { SETTINGS } from '../src/config.ts'
import { verbsPage } from './support/verbs-page.ts'

const VERBS_PAGE = 'docs/commands.md'

describe('The pages for users', () => {
  it('tell of every setting, and of its default', async () => {
    const text = await readFile('README.md', 'utf8')
    for (const { name, fallback } of Object.values(SETTINGS)) {
      expect(text).to.match(
        new RegExp(`^\\| \`${name}\` +\\| \`${fallback}\` `, 'm'),
        `README.md has no row of ${name} with its default`,
      )
    }
  })

  it('tell of every verb and option of the command', async () => {
    if (process.env.STOWAGE_WRITE_DOCS === '1') {
      await writeFile(VERBS_PAGE, verbsPage(), { mode: 0o644 })
    }
    const text = await readFile(VERBS_PAGE, 'utf8')
    expect(text, 'npm run docs writes it anew').to.equal(verbsPage())
  })
})
