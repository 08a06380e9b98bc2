import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { exitCode } from '../../src/cli/exit-codes.ts'
import { VERBS } from '../../src/cli/verbs.ts'

const TRANSCRIPTS = 'test/docker/transcripts'

/** One line that was typed beside a real dockerd, and what came of it. */
interface Scene {
  readonly verb: string | undefined
  readonly isJson: boolean
  readonly isRefused: boolean
}

describe('The transcripts', () => {
  let scenes: readonly Scene[]

  before(async () => {
    const names = await fs.readdir(TRANSCRIPTS)
    const texts = await Promise.all(
      names.map((name) => fs.readFile(join(TRANSCRIPTS, name), 'utf8')),
    )
    scenes = texts.flatMap(scenesOf)
  })

  const expectAll = (
    verbs: typeof VERBS,
    isWanted: (scene: Scene) => boolean,
  ): void => {
    const shown = new Set(scenes.filter(isWanted).map(({ verb }) => verb))
    const lacking = verbs.map(({ name }) => name).filter((it) => !shown.has(it))
    expect(lacking).to.deep.equal([])
  }

  it('show what every verb says to people', () => {
    expectAll(VERBS, ({ isJson, isRefused }) => !isJson && !isRefused)
  })

  it('show what every verb says to programs', () => {
    const verbs = VERBS.filter(({ isPlain = false }) => !isPlain)
    expectAll(verbs, ({ isJson, isRefused }) => isJson && !isRefused)
  })

  it('show how every verb refuses', () => {
    expectAll(VERBS, ({ isRefused }) => isRefused)
  })

  it('are told apart by what was typed and what it ended with', () => {
    const text = '$ stowage volume rm db --json | cat\nno\n[exit 5]\n'
    expect(scenesOf(text)).to.deep.equal([
      { verb: 'volume rm', isJson: true, isRefused: true },
    ])
    expect(scenesOf('$ docker ps\n')).to.deep.equal([])
  })
})

function scenesOf(text: string): readonly Scene[] {
  const scenes = text.split(/^\$ /m).slice(1)
  return scenes.flatMap((scene) => {
    const [typed = '', ...said] = scene.trimEnd().split('\n')
    if (said.length === 0) return []
    const words = typed.split(' ')
    const code = Number(/^\[exit (\d+)\]$/.exec(said.at(-1) ?? '')?.[1] ?? 0)
    return {
      verb: VERBS.find(({ name }) => isTyped(name, words))?.name,
      isJson: words.includes('--json'),
      // Who finds something wrong has not refused to look.
      isRefused: code !== 0 && code !== exitCode('unhealthy'),
    }
  })
}

function isTyped(verb: string, words: readonly string[]): boolean {
  const count = verb.split(' ').length
  return words.slice(0, count + 1).join(' ') === `stowage ${verb}`
}
