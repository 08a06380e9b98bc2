import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import * as http from 'node:http'
import * as net from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { RequestHandler } from 'express'
import { inParallel } from '../../src/base/in-parallel.ts'
import { SILENT } from '../../src/base/log.ts'
import { volumeRoutes } from '../../src/protocol/volume-routes.ts'
import type { VolumeStoreSource } from '../../src/volume/attached-store.ts'
import { VolumeLookupCache } from '../../src/volume/volume-lookup-cache.ts'
import { parseVolumeOptions } from '../../src/volume/volume-options.ts'
import { parseStoreSpecs, storeSource } from '../../src/volume/volume-stores.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { PluginFailure } from '../../src/conformance/dockerd-client.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import {
  type Memory,
  MemoryVolumeStore,
} from '../support/memory-volume-store.ts'
import { useServedPlugin } from '../support/serve.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

describe('volumeRoutes', () => {
  needs('root')
  let volumes: VolumeLookupCache
  afterEach(() => volumes.close())
  const root = useTempDir()

  const open = async (
    change: (source: VolumeStoreSource) => VolumeStoreSource = (source) =>
      source,
  ): Promise<void> => {
    const surroundings = { dataRoot: root.path, log: SILENT }
    const stores = parseStoreSpecs('default=local:')
      .map((spec) => storeSource(spec, surroundings))
      .map(change)
    volumes = await VolumeLookupCache.open({ ...surroundings, stores })
    await volumes.opened()
  }
  const plugin = useServedPlugin(async () => {
    await open()
    // What is served can be replaced while it is, as by a restart.
    const get = (method: string): RequestHandler | undefined =>
      volumeRoutes(volumes, { scope: 'local' }).get(method)
    return [{ name: 'VolumeDriver', routes: { get } }]
  })

  const restart = async (): Promise<void> => {
    await volumes.close()
    await open()
  }
  const call = (
    method: string,
    fields: Readonly<Record<string, unknown>> = {},
  ): Promise<Readonly<Record<string, unknown>>> =>
    plugin.docker.call(`VolumeDriver.${method}`, fields)
  const create = (
    name: string,
    options: object | null = null,
  ): Promise<unknown> => call('Create', { Name: name, Opts: options })
  const mount = async (name: string, id: string): Promise<string> =>
    String((await call('Mount', { Name: name, ID: id })).Mountpoint)
  const get = (name: string): Promise<unknown> => call('Get', { Name: name })
  const unmount = (name: string, id: string): Promise<unknown> =>
    call('Unmount', { Name: name, ID: id })
  const holders = (name: string): Record<string, number> =>
    Object.fromEntries(volumes.holders(name))
  const listed = async (): Promise<unknown[]> =>
    ((await call('List')).Volumes as { Name: string }[]).map(
      ({ Name: name }) => name,
    )

  const headOf = async (path: string): Promise<http.IncomingHttpHeaders> => {
    const { socketPath } = plugin
    const options = { socketPath, method: 'POST', path, agent: false }
    const asked = http.request(options)
    asked.end('{}')
    const [response] = (await once(asked, 'response')) as [http.IncomingMessage]
    response.resume()
    await once(response, 'end')
    return response.headers
  }

  describe('Create', () => {
    it('creates what Get then shows under the very name, dated', async () => {
      await create('My_db.1')
      const { Volume: volume } = (await call('Get', { Name: 'My_db.1' })) as {
        Volume: { Name: string; CreatedAt: string }
      }
      expect(volume.Name).to.equal('My_db.1')
      expect(volume.CreatedAt).to.match(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
      )
    })

    it('takes null, nothing and {} for no options', async () => {
      await create('a', null)
      await create('b', {})
      await call('Create', { Name: 'c' })
      expect(await listed()).to.deep.equal(['a', 'b', 'c'])
    })

    it('succeeds again with equal options, however they are spelled', async () => {
      await create('db', { mode: '0750', 'label.team': 'blue' })
      await create('db', { MODE: '750', 'label.team': 'blue' })
      expect(await listed()).to.deep.equal(['db'])
    })

    it('refuses other options and names what differs', async () => {
      await create('db', { mode: '0750' })
      await expectRejection(
        create('db', { mode: '0700', 'label.team': 'blue' }),
        PluginFailure,
        /"db" already exists with other options: mode is "0750" and should be "0700"; label\.team is unset and should be "blue"/,
      )
    })

    for (const [what, options] of [
      ['an unknown option', { colour: 'red' }],
      ['a wrong value', { mode: '0999' }],
      ['an option that the store cannot honour', { size: '1G' }],
      ['an unknown store', { store: 'absent' }],
      ['an option twice', { uid: '1', UID: '1' }],
    ] as const) {
      it(`leaves no trace of a volume with ${what}`, async () => {
        await expectRejection(create('db', options), PluginFailure)
        expect(await listed()).to.deep.equal([])
        expect(await filesOf(root.path)).to.deep.equal([])
      })
    }

    const bad = ['../x', 'a/b', '', '.', '..', 'n'.repeat(256), 'a\0b', 'é']
    for (const name of bad) {
      it(`leaves no trace of a volume named ${JSON.stringify(name.slice(0, 9))}`, async () => {
        await expectRejection(create(name), PluginFailure)
        expect(await listed()).to.deep.equal([])
        expect(await filesOf(root.path)).to.deep.equal([])
      })
    }

    it('answers -o help with the list of options', async () => {
      await expectRejection(
        create('db', { help: '' }),
        PluginFailure,
        /capacity \(also size\)[^]*protect/,
      )
    })

    it('calls bad arguments 400 and other refusals 500', async () => {
      for (const [fields, status] of [
        [{ Name: '../x' }, 400],
        [{ Name: 'db', Opts: { mode: 7 } }, 400],
        [{ Name: 'db', Opts: { size: '1G' } }, 500],
      ] as const) {
        const answer = await plugin.docker.post('VolumeDriver.Create', fields)
        expect(answer.status, answer.body).to.equal(status)
      }
    })
  })

  describe('Get', () => {
    it('says null for names that are absent or can never be', async () => {
      await create('db')
      for (const name of ['absent', '../db', 'a/b', '.', '..', 'a\0b', 'é']) {
        expect(await get(name), name).to.deep.equal({ Volume: null })
      }
      expect(await get('n'.repeat(300))).to.deep.equal({ Volume: null })
      expect(await listed()).to.deep.equal(['db'])
    })

    it('shows the store and its kind, options, labels and holders', async () => {
      await create('db', { Mode: '0750', 'label.team': 'blue' })
      await mount('db', 'one')
      const { Volume: volume } = (await get('db')) as { Volume: object }
      expect(volume).to.deep.include({
        Status: {
          store: 'default',
          kind: 'local',
          options: { Mode: '0750', 'label.team': 'blue' },
          labels: { team: 'blue' },
          snapshots: [],
          holders: 1,
        },
      })
    })

    it('hangs up where the body is empty, cut or makes no sense', async () => {
      for (const body of ['', '{}', 'null', '{"Name":', '[]', '{"Name":7}']) {
        await expectRejection(
          plugin.docker.post('VolumeDriver.Get', body),
          Error,
          /socket hang up/,
        )
      }
    })

    it('hangs up where a store has never been read', async () => {
      await volumes.close()
      await fs.rm(join(root.path, 'state'), { recursive: true })
      await open((source) => ({
        ...source,
        open: () => Promise.reject(new Error('the disk is away')),
      }))
      await expectRejection(get('db'), Error, /socket hang up/)
      expect((await plugin.docker.post('VolumeDriver.List')).status).to.equal(
        200,
      )
    })

    it('tells what it had from what it never had while a store is away', async () => {
      await create('db')
      await volumes.close()
      await open((source) => ({
        ...source,
        open: () => Promise.reject(new Error('the disk is away')),
      }))
      expect(await get('absent')).to.deep.equal({ Volume: null })
      const { Volume: volume } = (await get('db')) as { Volume: object }
      expect(volume).to.have.property('Name', 'db')
      expect(volume)
        .to.have.nested.property('Status.problem')
        .match(/the disk is away/)
    })

    it('shows a damaged volume as one that has a problem', async () => {
      await create('db')
      const record = join(root.path, 'volumes/default/volumes/db/volume.json')
      await fs.writeFile(record, '')
      await fs.rm(`${record}.copy`)
      await restart()
      const { Volume: volume } = (await get('db')) as { Volume: object }
      expect(volume).to.have.property('Name', 'db')
      expect(volume).to.not.have.property('CreatedAt')
      expect(volume)
        .to.have.nested.property('Status.problem')
        .match(/not JSON/)
      expect(await listed()).to.deep.equal(['db'])
    })
  })

  describe('Mount and Unmount', () => {
    it('show an empty directory that root can write', async () => {
      await create('db')
      const path = await mount('db', 'one')
      expect(await fs.readdir(path)).to.deep.equal([])
      await fs.writeFile(join(path, 'file'), '')
    })

    it('count an ID that is mounted again', async () => {
      await create('db')
      await mount('db', 'one')
      await mount('db', 'one')
      await unmount('db', 'one')
      expect(holders('db')).to.deep.equal({ one: 1 })
      await unmount('db', 'one')
      expect(holders('db')).to.deep.equal({})
    })

    it('show two IDs the same mountpoint until both are gone', async () => {
      await create('db')
      expect(await mount('db', 'one')).to.equal(await mount('db', 'two'))
      await unmount('db', 'one')
      expect(holders('db')).to.deep.equal({ two: 1 })
    })

    it('take an unknown ID, volume or mount for unmounted', async () => {
      await create('db')
      await unmount('db', 'one')
      await unmount('absent', 'one')
      await mount('db', 'one')
      await unmount('db', 'two')
      expect(holders('db')).to.deep.equal({ one: 1 })
    })

    it('refuse a volume that is absent', async () => {
      await expectRejection(
        mount('absent', 'one'),
        PluginFailure,
        /"absent" does not exist/,
      )
    })

    it('refuse an ID that could be mistaken for another', async () => {
      await create('db')
      for (const id of ['', 'a b', 'a\n+ db evil', 'x'.repeat(300)]) {
        await expectRejection(mount('db', id), PluginFailure, /ID/)
      }
      expect(holders('db')).to.deep.equal({})
    })

    it('are remembered over a restart', async () => {
      await create('db')
      await mount('db', 'one')
      await mount('db', 'two')
      await restart()
      await unmount('db', 'one')
      expect(holders('db')).to.deep.equal({ two: 1 })
      await unmount('db', 'two')
      expect(holders('db')).to.deep.equal({})
    })

    it('do no harm when the client is gone before the answer', async () => {
      await create('db')
      const socket = net.connect(plugin.socketPath)
      await once(socket, 'connect')
      const body = JSON.stringify({ Name: 'db', ID: 'one' })
      socket.end(
        `POST /VolumeDriver.Mount HTTP/1.1\r\nHost: \r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      )
      socket.destroy()
      await sleep(50)
      await call('Remove', { Name: 'db' })
      expect(await listed()).to.deep.equal([])
    })
  })

  describe('Remove', () => {
    it('removes what dead containers still hold', async () => {
      await create('db')
      await mount('db', 'one')
      await mount('db', 'one')
      await call('Remove', { Name: 'db' })
      expect(await listed()).to.deep.equal([])
      await create('db')
      expect(holders('db')).to.deep.equal({})
      expect(await fs.readdir(await mount('db', 'two'))).to.deep.equal([])
    })

    it('takes an absent volume for removed', async () => {
      await call('Remove', { Name: 'absent' })
    })

    it('removes nothing when the name is lost on the way', async () => {
      await create('db')
      for (const body of ['', '{}', '{"Name":""}']) {
        const { status } = await plugin.docker.post('VolumeDriver.Remove', body)
        expect(status, body).to.equal(400)
      }
      expect(await listed()).to.deep.equal(['db'])
    })

    it('refuses names that lead elsewhere', async () => {
      await create('db')
      for (const name of ['../volumes/db', '.', '..', 'db/../db']) {
        await call('Remove', { Name: name })
      }
      expect(await listed()).to.deep.equal(['db'])
    })

    it('refuses a protected volume in words for its owner', async () => {
      await create('db', { protect: 'true' })
      await expectRejection(
        call('Remove', { Name: 'db' }),
        PluginFailure,
        /"db" is protected from removal/,
      )
    })
  })

  describe('List, Path and Capabilities', () => {
    it('list 1,000 volumes in less than a second', async function () {
      this.timeout(30_000)
      await inParallel([...Array(1000).keys()], 32, (index) =>
        volumes.create(`v${index}`, {}),
      )
      const began = performance.now()
      expect(await listed()).to.have.length(1000)
      expect(performance.now() - began).to.be.below(1000)
    })

    it('are sent in one piece, but for a list of thousands, which nobody waits for', async () => {
      const memory: Memory = new Map()
      const store = new MemoryVolumeStore('default', root.path, memory)
      const options = parseVolumeOptions({})
      const names = Array.from({ length: 5000 }, (_, nth) => `volume-${nth}`)
      for (const name of names) await store.create(name, options)
      await volumes.close()
      await open((source) => ({ ...source, open: async () => store }))
      const head = await headOf('/VolumeDriver.List')
      expect(head).to.have.property('transfer-encoding', 'chunked')
      expect(await listed()).to.deep.equal(names.toSorted())

      memory.clear()
      await volumes.refresh('default')
      expect(await headOf('/VolumeDriver.List')).to.include({
        'content-length': '14',
      })
      expect(await listed()).to.deep.equal([])
    })

    it('know the path of a volume that is not mounted', async () => {
      await create('db')
      const { Mountpoint: path } = await call('Path', { Name: 'db' })
      expect(path).to.equal(await mount('db', 'one'))
      const { Volumes: all } = await call('List')
      expect(all).to.have.nested.property('[0].Mountpoint', path)
    })

    it('say the scope', async () => {
      expect(await call('Capabilities')).to.deep.equal({
        Capabilities: { Scope: 'local' },
      })
    })
  })
})

/** What stands in the directory of a store with nothing left over. */
const OWN = ['format', 'lock', 'volumes']

/** What is in and beneath the store of a test, beside what is its own. */
async function filesOf(root: string): Promise<string[]> {
  const store = join(root, 'volumes', 'default')
  const names = await fs.readdir(store, { recursive: true })
  return names.filter((name) => !OWN.includes(name))
}
