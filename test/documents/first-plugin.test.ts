import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { PrivateHost } from '../support/private-host.ts'

const run = promisify(execFile)
const PAGE = 'docs/library/first-plugin.md'

/** What the page's commands write outside of their folder. */
const OUTSIDE = ['/srv', '/var/lib/plain']

/** A registry is asked for what the machine does not have already. */
const NPM = {
  npm_config_prefer_offline: 'true',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
}

describe('The path of a stranger', function () {
  this.timeout(180_000)
  needs('root', 'docker')
  let host: PrivateHost
  let commands: readonly string[]

  before(async () => {
    const page = await fs.readFile(PAGE, 'utf8')
    const [, block = ''] = /^```sh\n(.*?)^```$/ms.exec(page) ?? []
    commands = block.trim().split('\n')
    host = await PrivateHost.open()
    for (const path of OUTSIDE) {
      await fs.mkdir(path, { recursive: true })
      await host.inside('mount', '-t', 'tmpfs', 'none', path)
    }
    await host.startDockerd()
  })
  after(async () => {
    try {
      const pid = await fs.readFile(join(host.directory, 'plugin.pid'), 'utf8')
      process.kill(Number(pid))
    } finally {
      await host.close()
    }
  })

  it('has ten commands at most', () => {
    expect(commands).to.have.length.within(1, 10)
  })

  it('leads from an empty folder to a volume that one’s own code keeps', async () => {
    const { stdout } = await run('npm', [
      'pack',
      '--silent',
      '--pack-destination',
      host.directory,
    ])
    const tarball = join(host.directory, stdout.trim())
    const typed = commands.map((command) => {
      if (command === 'npm install stowage') return `npm install ${tarball}`
      if (!command.endsWith('&')) return command
      const pid = join(host.directory, 'plugin.pid')
      return `${command.slice(0, -1)} >plugin.log 2>&1 & echo $! >${pid}`
    })
    const script = ['set -e', `cd ${host.directory}`, ...typed].join('\n')
    const path = join(host.directory, 'stranger.sh')
    await fs.writeFile(path, script)
    const { DOCKER_HOST = '' } = host.dockerEnv
    const env = Object.entries({ ...NPM, DOCKER_HOST })
    await host.inside(
      'env',
      ...env.map(([name, value]) => `${name}=${value}`),
      'PATH=/usr/bin:' + (process.env.PATH ?? ''),
      'sh',
      path,
    )
    const volume = await host.docker(
      'volume inspect --format {{.Driver}}:{{.Mountpoint}}:{{.Status.kind}} my-volume',
    )
    expect(volume).to.equal('plain:/srv/plain/volumes/my-volume:plain')
  })
})
