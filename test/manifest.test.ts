import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { readConfig, SETTINGS } from '../src/config.ts'

/** Where Docker and the manifest itself have decided. */
const FIXED = ['STOWAGE_DATA_ROOT', 'STOWAGE_SOCKET']

interface Variable {
  readonly name: string
  readonly description: string
  readonly value: string
  readonly settable?: readonly string[]
}

interface Manifest {
  readonly interface: { readonly types: string[]; readonly socket: string }
  readonly propagatedMount: string
  readonly env: readonly Variable[]
}

describe('The manifest of the managed plugin', () => {
  let manifest: Manifest
  before(async () => {
    manifest = JSON.parse(await readFile('config.json', 'utf8'))
  })

  it('lists the settings that there are, in the same words', () => {
    const listed = manifest.env.map(({ name, description }) => [
      name,
      description,
    ])
    const there = Object.values(SETTINGS).map(({ name, meaning }) => [
      name,
      meaning,
    ])
    expect(listed).to.deep.equal(there)
  })

  it('has values that are accepted', () => {
    const env = manifest.env.map(({ name, value }) => [name, value])
    const config = readConfig(Object.fromEntries(env))
    expect(config.socket).to.equal(
      `/run/docker/plugins/${manifest.interface.socket}`,
    )
    expect(config.dataRoot).to.match(
      new RegExp(`^${manifest.propagatedMount}/`),
    )
  })

  it('lets docker plugin set change all but the paths that it decides', () => {
    for (const { name, settable } of manifest.env) {
      const expected = FIXED.includes(name) ? undefined : ['value']
      expect(settable, name).to.deep.equal(expected)
    }
  })

  it('offers both interfaces', () => {
    expect(manifest.interface.types).to.deep.equal([
      'docker.volumedriver/1.0',
      'docker.graphdriver/1.0',
    ])
  })
})
