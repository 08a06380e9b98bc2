import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { blocksOf } from '../support/pages.ts'

const PAGES_FOR_USERS = 'test/docker/docs.test.ts'
const STRANGER = 'test/documents/first-plugin.test.ts'
const COMPILER = 'test/documents/code-blocks.test.ts'
const EXAMINATION = 'test/documents/examination.test.ts'

/** A file that the block repeats, and that the page's other block runs. */
const PLAIN_PLUGIN = 'examples/plain-store/plugin.ts'

/** A block that nobody could run: it has no language. */
const PICTURE = 'a picture'

/**
 * Who runs the blocks of each page, by their language. What a program of one's own
 * only declares, such as a function, is compiled; whole programs are run.
 */
const RUN_BY: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'README.md': { sh: PAGES_FOR_USERS },
  'docs/container.md': { sh: 'test/docker/container.test.ts' },
  'docs/first-steps.md': { console: PAGES_FOR_USERS },
  'docs/install.md': { sh: PAGES_FOR_USERS },
  'docs/moving.md': { sh: PAGES_FOR_USERS },
  'docs/recovery.md': { sh: PAGES_FOR_USERS },
  'docs/library/concepts.md': { '': PICTURE },
  'docs/library/conformance.md': { sh: EXAMINATION, ts: EXAMINATION },
  'docs/library/drivers.md': { ts: COMPILER },
  'docs/library/first-plugin.md': { sh: STRANGER, ts: PLAIN_PLUGIN },
  'docs/library/stores.md': { ts: COMPILER },
}

describe('Every block of the README and of docs', () => {
  it('is run by a test, which is named here', async () => {
    const found: Record<string, Record<string, string>> = {}
    for (const page of await pages()) {
      for (const { language } of await blocksOf(page)) {
        const test = RUN_BY[page]?.[language] ?? 'nobody'
        found[page] = { ...found[page], [language]: test }
      }
    }
    expect(found).to.deep.equal(RUN_BY)
  })

  it('is looked for by the test that is named', async () => {
    for (const [page, languages] of Object.entries(RUN_BY)) {
      for (const test of Object.values(languages)) {
        if ([PICTURE, COMPILER, PLAIN_PLUGIN].includes(test)) continue
        expect(await fs.readFile(test, 'utf8'), test).to.include(`'${page}'`)
      }
    }
  })

  it('is what it repeats', async () => {
    const [, shown] = await blocksOf('docs/library/first-plugin.md')
    expect(shown?.text).to.equal(await fs.readFile(PLAIN_PLUGIN, 'utf8'))
  })

  it('is a whole block, as no page has half a fence', async () => {
    for (const page of await pages()) {
      const text = await fs.readFile(page, 'utf8')
      const fences = text.match(/^ *(?:```|~~~)/gm) ?? []
      const blocks = await blocksOf(page)
      expect(fences, page).to.have.length(2 * blocks.length)
    }
  })

  it('that is an example of Compose or of a stack is run too', async () => {
    const scenario = await fs.readFile(
      'test/docker/describe-docker-version.ts',
      'utf8',
    )
    for (const file of await fs.readdir('docs/examples')) {
      expect(scenario).to.include(`'${file.replace('.yaml', '')}'`)
    }
  })
})

async function pages(): Promise<readonly string[]> {
  const names = await fs.readdir('docs', { recursive: true })
  return ['README.md'].concat(
    names
      .filter((name) => name.endsWith('.md'))
      .map((name) => join('docs', name)),
  )
}
