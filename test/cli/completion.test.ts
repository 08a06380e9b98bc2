import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { completionScript, offerFor } from '../../src/cli/completion.ts'
import { VERBS } from '../../src/cli/verbs.ts'

const run = promisify(execFile)

describe('Completion', () => {
  it('offers the first words of verbs, then the second', () => {
    expect(offer('').words).to.include.members(['volume', 'doctor', 'export'])
    expect(offer('volume', '').words).to.include.members(['ls', 'inspect'])
    expect(offer('doctor', '').words).to.deep.equal([])
  })

  it('offers what there is of what a verb asks for', () => {
    expect(offer('volume', 'inspect', '').more).to.equal('volume')
    expect(offer('volume', 'inspect', 'a', '').more).to.equal('volume')
    expect(offer('snapshot', 'rollback', 'db', '').more).to.equal('snapshot')
    expect(offer('export', 'db', '').more).to.equal('file')
    expect(offer('volume', 'rename', 'db', '').more).to.equal(undefined)
  })

  it('offers options, and what their values may be', () => {
    expect(offer('export', 'db', '--').words).to.include('--compression')
    expect(offer('export', '--compression', '').words).to.include('zstd')
    expect(offer('volume', 'ls', '--store', '').more).to.equal('store')
    expect(offer('export', '--compression', 'gzip', '').more).to.equal('volume')
  })

  it('is a script that bash takes', async () => {
    const { stderr } = await run('bash', ['-n', '-c', completionScript('bash')])
    expect(stderr).to.equal('')
  })
})

function offer(...typed: readonly string[]): ReturnType<typeof offerFor> {
  return offerFor(typed, VERBS)
}
