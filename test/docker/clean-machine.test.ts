import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { CleanMachine } from '../support/clean-machine.ts'
import { busyboxRoot } from '../support/images.ts'
import { blocksOf } from '../support/pages.ts'

const run = promisify(execFile)

/** How many commands a new user types, at most, before either is seen. */
const MOST_STEPS = 3

describe('A machine with only Node and Docker', function () {
  needs('root', 'docker', 'busybox', 'overlay', 'debootstrap')
  this.timeout(600_000)
  const scratch = useTempDir()
  let machine: CleanMachine
  let install: readonly string[]
  let use: readonly string[]

  before(async () => {
    const pages = (await blocksOf('README.md')).map(({ text }) =>
      text.trim().split('\n'),
    )
    ;[install = [], use = []] = pages
    machine = await CleanMachine.boot()
  })
  after(() => machine?.close())

  it(`shows the plugin enabled after ${MOST_STEPS} commands of the README`, async () => {
    expect(install.at(-1)).to.equal('docker plugin ls')
    expect(install).to.have.length.within(1, MOST_STEPS)
    expect(await machine.type(install.join('\n'))).to.match(
      /stowage:latest .* true$/,
    )
  })

  it(`has a mounted volume after ${MOST_STEPS} commands of the README`, async () => {
    await pullAlpine()
    const mounted = use.findIndex((command) => command.includes('--volume'))
    const steps = install.length - 1 + mounted + 1
    expect(steps).to.be.at.most(MOST_STEPS)
    const said = await machine.type(use.join('\n'))
    expect(said).to.match(/^db\nhello\n\[/)
    expect(said).to.match(/"mode": "0750"/)
    console.log(`      ${steps} steps to a mounted volume`)
  })

  /** What Docker does by itself where it reaches its registry. */
  async function pullAlpine(): Promise<void> {
    await busyboxRoot(scratch.path)
    const tar = machine.path('root/alpine.tar')
    await run('tar', ['-C', scratch.path, '-cf', tar, '.'])
    await machine.type('docker import /root/alpine.tar alpine')
    await fs.rm(tar)
  }
})
