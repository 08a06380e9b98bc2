import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'

const run = promisify(execFile)

/** Below the package, so that a block imports it by its name as anybody does. */
const PLACE = 'dist/code-blocks'

const BLOCK = /^```ts\n(.*?)^```$/gms

const OPTIONS = {
  target: 'es2023',
  lib: ['es2023', 'esnext.disposable'],
  module: 'nodenext',
  types: ['node', 'mocha'],
  strict: true,
  noEmit: true,
  allowImportingTsExtensions: true,
}

describe('The documents', function () {
  this.timeout(60_000)

  it('have no block of TypeScript that does not compile', async () => {
    await fs.rm(PLACE, { recursive: true, force: true })
    await fs.mkdir(PLACE, { recursive: true })
    const store = 'examples/plain-store/plain-store.ts'
    await fs.copyFile(store, join(PLACE, 'plain-store.ts'))
    let count = 0
    for (const document of await documents()) {
      const text = await fs.readFile(document, 'utf8')
      for (const [, block] of text.matchAll(BLOCK)) {
        const name = document.replaceAll('/', '-').replace('.md', '')
        const path = join(PLACE, `${name}-${count++}.ts`)
        await fs.writeFile(path, `${block}\nexport {}\n`)
      }
    }
    expect(count).to.be.at.least(6)
    const config = { compilerOptions: OPTIONS, include: ['*.ts'] }
    await fs.writeFile(join(PLACE, 'tsconfig.json'), JSON.stringify(config))
    const { stdout } = await run('node_modules/.bin/tsc', ['-p', PLACE])
    expect(stdout).to.equal('')
  })

  it('lead nowhere that is not there', async () => {
    const broken: string[] = []
    for (const document of await documents()) {
      const text = await fs.readFile(document, 'utf8')
      for (const [, target] of text.matchAll(/\]\(([^)#:]+)\)/g)) {
        const path = join(document, '..', target!)
        const isThere = await fs.stat(path).then(
          () => true,
          () => false,
        )
        if (!isThere) broken.push(`${document}: ${target}`)
      }
    }
    expect(broken).to.deep.equal([])
  })
})

async function documents(): Promise<readonly string[]> {
  const found: string[] = ['README.md']
  for (const folder of ['docs', 'examples']) {
    const names = await fs.readdir(folder, { recursive: true })
    const pages = names.filter((name) => name.endsWith('.md'))
    found.push(...pages.map((name) => join(folder, name)))
  }
  return found
}
