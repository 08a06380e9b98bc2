import * as fs from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

const MODULE = new URL('../../src/linux/own-directory.js', import.meta.url)

describe('enterDirectory', () => {
  needs('root')
  const directory = useTempDir()

  it('gives a thread a working directory that no other thread sees', async () => {
    const before = await fs.realpath('.')
    const code = `
      import { mkdirSync } from 'node:fs'
      import { enterDirectory } from '${MODULE.href}'
      enterDirectory('${directory.path}')
      mkdirSync('made here')
    `
    const source = `data:text/javascript,${encodeURIComponent(code)}`
    const [status] = (await once(new Worker(new URL(source)), 'exit')) as [
      number,
    ]
    expect(status).to.equal(0)
    expect(await fs.readdir(directory.path)).to.deep.equal(['made here'])
    expect(await fs.realpath('.')).to.equal(before)
  })
})
