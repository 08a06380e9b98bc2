import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { useDaemons } from '../support/daemon-process.ts'
import { type Block, blocksOf } from '../support/pages.ts'

const run = promisify(execFile)

/** Below the package, so that the program imports it by its name as anybody does. */
const PROGRAM = 'dist/examination-page.js'

const ANY_PLUGIN = /\/run\/docker\/plugins\/\w+\.sock/

describe('docs/library/conformance.md', function () {
  needs('root')
  this.timeout(60_000)
  const place = useDaemons()
  const bin = useTempDir()
  let blocks: readonly Block[]

  before(async () => {
    blocks = await blocksOf('docs/library/conformance.md')
  })

  it('examines a plugin by a command', async () => {
    const command = await blockFor('sh')
    await fs.symlink(
      join(process.cwd(), 'dist/src/main.js'),
      join(bin.path, 'stowage'),
    )
    const PATH = `${bin.path}:${process.env.PATH}`
    const { stdout } = await run('sh', ['-c', command], {
      env: { ...process.env, PATH },
    })
    expect(stdout).to.match(/, 0 broken/)
  })

  it('examines a plugin from a program', async () => {
    await fs.writeFile(PROGRAM, await blockFor('ts'))
    await run(process.execPath, [PROGRAM])
    await fs.rm(PROGRAM)
  })

  /** The block in that language, for a daemon that runs. */
  async function blockFor(language: string): Promise<string> {
    const { socketPath } = await place.start({
      settings: { STOWAGE_IMPLEMENTS: 'volume' },
    })
    const block = blocks.find((one) => one.language === language)
    expect(block?.text).to.match(ANY_PLUGIN)
    return block?.text.replace(ANY_PLUGIN, socketPath) ?? ''
  }
})
