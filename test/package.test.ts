import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect } from 'chai'

const run = promisify(execFile)

/** What belongs into the package, beside what is compiled of `src` and `plugin`. */
const OTHERS =
  /^(?:package\.json|README\.md|CHANGELOG\.md|LICENSE|config\.json|plugin\/.+|docs\/[\w/-]+\.(?:md|txt|yaml)|examples\/[\w-]+\/(?:README\.md|tsconfig\.json|[\w-]+\.ts))$/

const COMPILED = /^dist\/((?:src|plugin)\/.+?)(?:\.js|\.d\.ts)$/

describe('The packed package', function () {
  this.timeout(60_000)
  let files: readonly string[]

  before(async () => {
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json'])
    const [packed]: { files: { path: string }[] }[] = JSON.parse(stdout)
    files = packed!.files.map(({ path }) => path)
  })

  it('holds the program, its examples and its descriptions, and no more', () => {
    const strangers = files.filter((path) => {
      const [, source] = COMPILED.exec(path) ?? []
      if (source === undefined) return !OTHERS.test(path)
      return !existsSync(`${source}.ts`)
    })
    expect(strangers).to.deep.equal([])
  })

  it('lacks none of what it needs to run and to be understood', () => {
    expect(files).to.include.members([
      'dist/src/main.js',
      'dist/src/exports/stowage.d.ts',
      'dist/src/graph/home-worker.js',
      'docs/library/first-plugin.md',
      'examples/plain-store/plugin.ts',
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'config.json',
    ])
  })
})
