import * as fs from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { needs } from '../../src/conformance/capabilities.ts'
import { importBusybox } from '../support/images.ts'
import { blocksOf, session } from '../support/pages.ts'
import { PrivateHost } from '../support/private-host.ts'
import { type StandIns, Terminal } from '../support/terminal.ts'

/** What is followed here, each page from where the one before it ended. */
const PAGES = [
  'README.md',
  'docs/first-steps.md',
  'docs/moving.md',
  'docs/recovery.md',
  'docs/install.md',
]

/** Followed by `container.test.ts`, and compared with the program. */
const ELSEWHERE = ['docs/container.md', 'docs/commands.md']

/** What only a whole machine can do, and what is done for it here. */
const STAND_INS: StandIns = {
  sudo: 'exec "$@"',
  docker: `
    case $1 in run) shift; set -- run --network=none "$@" ;; esac
    exec /usr/bin/docker "$@"`,
  npm: `
    case "$*" in
      'run plugin:create') exec node dist/plugin/create.js ;;
      'run service:install') exec plugin/install --root "$PAGES_ROOT" ;;
      'run service:uninstall') exec plugin/uninstall --root "$PAGES_ROOT" ;;
      start | test | 'run '*) grep -q "\\"\${*#run }\\":" package.json ;;
      *) exit 1 ;;
    esac`,
}

const RESTART = /^sudo systemctl restart docker$/m

describe('The pages for users', function () {
  needs('root', 'docker', 'busybox', 'overlay')
  this.timeout(180_000)
  let host: PrivateHost
  let terminal: Terminal

  before(async () => {
    host = await PrivateHost.open()
    await host.startDockerd()
    await alpine()
    terminal = await Terminal.open(host, STAND_INS)
  })
  after(() => host?.close())

  for (const page of PAGES) {
    it(`do what ${page} says`, async () => {
      for (const { language, text } of await blocksOf(page)) {
        if (language === 'sh') await follow(text)
        else if (language === 'console') await repeat(text)
        else expect.fail(`A block of "${language}" is not looked at: ${text}`)
      }
    })
  }

  it('are all there, and each is followed here', async () => {
    const pages = await fs.readdir('docs')
    const written = pages
      .filter((page) => page.endsWith('.md'))
      .map((page) => `docs/${page}`)
    expect(PAGES.concat(ELSEWHERE)).to.include.members(written)
  })

  it('lead nowhere that is not there', async () => {
    for (const page of [...PAGES, ...ELSEWHERE, 'plugin/README.md']) {
      const text = await fs.readFile(page, 'utf8')
      for (const [, target = ''] of text.matchAll(/\]\(([^)#:]+)[^)]*\)/g)) {
        await fs.access(resolve(page, '..', target))
      }
    }
  })

  /** Does what a block says, and restarts Docker where it is told to. */
  async function follow(text: string): Promise<void> {
    const [first = '', ...rest] = text.split(RESTART)
    await terminal.type(first)
    for (const part of rest) {
      await restart()
      await terminal.type(part)
    }
  }

  async function repeat(text: string): Promise<void> {
    for (const { command, output } of session(text)) {
      const said = await terminal.type(`( ${command} ) 2>&1 || true`)
      expect(said.trim(), command).to.equal(output)
    }
  }

  /** Docker is given its driver on the command line, so not in the file as well. */
  async function restart(): Promise<void> {
    const file = join(host.directory, 'etc/docker/daemon.json')
    const settings = JSON.parse(await fs.readFile(file, 'utf8'))
    await fs.rm(file)
    await host.stopDockerd()
    await host.startDockerd({ storageDriver: settings['storage-driver'] })
  }

  async function alpine(): Promise<void> {
    await importBusybox(host)
    await host.docker('tag bb alpine')
    await host.docker('rmi bb')
  }
})
