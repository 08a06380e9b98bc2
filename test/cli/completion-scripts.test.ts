import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { completionScript } from '../../src/cli/completion.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

const run = promisify(execFile)
const MAIN = join(import.meta.dirname, '../../src/main.js')

/** Each shell with its script, asked what it offers where "export" wants a word. */
describe('Completion in a shell', function () {
  this.timeout(60_000)
  const directory = useTempDir()

  beforeEach(async () => {
    await fs.symlink(MAIN, join(directory.path, 'stowage'))
  })

  const shell = async (
    program: string,
    ...words: readonly string[]
  ): Promise<readonly string[]> => {
    const PATH = `${directory.path}:${process.env.PATH}`
    const env = { PATH, HOME: directory.path, TERM: 'dumb' }
    const { stdout } = await run(program, words, { env })
    return stdout.trim().split('\n')
  }

  describe('of bash', () => {
    it('offers what the command says', async () => {
      const asked = `${completionScript('bash')}
        COMP_WORDS=(stowage export --compression z)
        COMP_CWORD=3
        _stowage
        printf '%s\\n' "\${COMPREPLY[@]}"`
      expect(await shell('bash', '-c', asked)).to.deep.equal(['zstd'])
    })
  })

  describe('of zsh', () => {
    needs('zsh')

    it('offers what the command says', async () => {
      // What compadd is given is what zsh would offer.
      const asked = `compdef() { : }
        compadd() { print -l -- "\${(@P)@[-1]}" }
        ${completionScript('zsh')}
        words=(stowage export --compression z)
        CURRENT=4
        _stowage`
      expect(await shell('zsh', '-f', '-c', asked)).to.deep.equal(['zstd'])
    })

    it('leaves files to zsh where nothing is offered', async () => {
      const asked = `compdef() { : }
        _files() { print files }
        ${completionScript('zsh')}
        words=(stowage import db '')
        CURRENT=4
        _stowage`
      expect(await shell('zsh', '-f', '-c', asked)).to.deep.equal(['files'])
    })
  })

  describe('of fish', () => {
    needs('fish')

    it('offers what the command says', async () => {
      const asked = `${completionScript('fish')}
        complete --do-complete 'stowage export --compression z'`
      expect(await shell('fish', '-N', '-c', asked)).to.deep.equal(['zstd'])
    })
  })
})
