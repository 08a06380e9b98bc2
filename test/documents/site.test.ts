import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'

const run = promisify(execFile)

/** What a page is called, before the name of all of them. */
const TITLE = /<title>(.*?) \| /

/** What pages lead to, and what in them can be led to. */
const LINKS = /<(?:a|link|script|img)\b[^>]*? (?:href|src)="([^"]*)"/g
const PLACES = / id="([^"]*)"/g

describe('The site', function () {
  // It is made once, by a compiler, on a machine that may be busy.
  this.timeout(300_000)
  let site: string
  const pages = new Map<string, string>()

  before(async () => {
    site = await fs.mkdtemp(join(tmpdir(), 'stowage-site-'))
    await run('npm', ['run', '--silent', 'site', '--', '--out', site])
    for (const name of await fs.readdir(site, { recursive: true })) {
      if (!name.endsWith('.html')) continue
      pages.set(name, await fs.readFile(join(site, name), 'utf8'))
    }
  })
  after(() => fs.rm(site, { recursive: true, force: true }))

  it('has a page for each document', async () => {
    const titles = [...pages.values()].map((text) => TITLE.exec(text)?.[1])
    for (const folder of ['docs', 'examples']) {
      const names = await fs.readdir(folder, { recursive: true })
      for (const name of names.filter((one) => one.endsWith('.md'))) {
        const text = await fs.readFile(join(folder, name), 'utf8')
        const [, title] = /^# (.+)$/m.exec(text) ?? []
        expect(titles).to.include(title?.replaceAll('`', ''))
      }
    }
  })

  it('describes whatever can be imported', async () => {
    const { exports } = JSON.parse(await fs.readFile('package.json', 'utf8'))
    for (const entry of Object.keys(exports)) {
      if (entry === './package.json') continue
      const module = join('stowage', entry)
      const loaded: object = await import(module)
      const page = `modules/${module.replace('/', '_')}.html`
      for (const name of Object.keys(loaded)) {
        expect(pages.get(page), page).to.match(new RegExp(`\\.${name}\\.html"`))
      }
    }
  })

  it('shows where in the source each thing is', () => {
    const serve = pages.get('functions/stowage.serve.html')
    const [, line] = /"\.\.\/source\/src\/serve\.ts\.html#L(\d+)"/.exec(serve!)!
    expect(pages.get('source/src/serve.ts.html')).to.include(
      `<span id="L${line}">export async function serve(`,
    )
  })

  it('leads nowhere that is not there', () => {
    const dead: string[] = []
    for (const [name, text] of pages) {
      for (const [, link = ''] of text.matchAll(LINKS)) {
        if (!isAlive(name, link)) dead.push(`${name}: ${link}`)
      }
    }
    expect(dead.slice(0, 20)).to.deep.equal([])
  })

  it('tells nothing of the machine that it was made on', () => {
    for (const [name, text] of pages) {
      expect(text.includes(process.cwd()), name).to.equal(false)
    }
  })

  function isAlive(from: string, link: string): boolean {
    if (/^https?:/.test(link)) return true
    const [path = '', place = ''] = decodeURIComponent(link).split('#')
    const target = path === '' ? from : join(dirname(from), path)
    const page = pages.get(target)
    if (page === undefined) return existsSync(join(site, target))
    const places = [...page.matchAll(PLACES)].map(([, id]) => id)
    return place === '' || places.includes(place)
  }
})
