import { access, readFile } from 'node:fs/promises'
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

interface HostMount {
  readonly source: string
  readonly options: readonly string[]
  readonly settable?: readonly string[]
}

interface Manifest {
  readonly entrypoint: readonly string[]
  readonly mounts: readonly HostMount[]
  readonly linux: { readonly capabilities: readonly string[] }
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

  it('has volumes on the host, where the host has a directory for certain', () => {
    const [data] = manifest.mounts
    expect(data?.source).to.equal('/var/lib')
    expect(data?.settable).to.deep.equal(['source'])
    // What is unmounted on the host must not live on in the plugin.
    expect(data?.options).to.include('rslave')
  })

  it('asks for the right to mount, and for nothing that it can do without', () => {
    expect(manifest.linux.capabilities).to.deep.equal([
      'CAP_SYS_ADMIN',
      'CAP_SYS_RESOURCE',
    ])
  })

  it('starts a program that the build makes', async () => {
    const [, program = ''] = manifest.entrypoint
    await access(program.replace('/opt/stowage/', ''))
  })

  it('offers both interfaces', () => {
    expect(manifest.interface.types).to.deep.equal([
      'docker.volumedriver/1.0',
      'docker.graphdriver/1.0',
    ])
  })
})
