import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { SILENT } from '../../src/base/log.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'
import { supportBundle } from '../../src/diagnosis/bundle.ts'
import { diagnose } from '../../src/diagnosis/doctor.ts'
import { openPlace } from '../../src/diagnosis/place.ts'
import { DockerClient } from '../../src/docker/docker-client.ts'
import { VolumeLookupCache } from '../../src/volume/volume-lookup-cache.ts'
import { parseStoreSpecs, storeSource } from '../../src/volume/volume-stores.ts'

/** Stands wherever somebody might keep a secret. */
const CANARY = 'canary-7f3a9c'

describe('A support bundle', () => {
  const directory = useTempDir()

  it('holds no secret, wherever one was kept', async () => {
    const dataRoot = join(directory.path, 'root')
    const stores = parseStoreSpecs('default=local:')
    await fs.mkdir(dataRoot, { mode: 0o711 })
    const cache = await VolumeLookupCache.open({
      dataRoot,
      stores: stores.map((spec) =>
        storeSource(spec, { dataRoot, log: SILENT }),
      ),
      log: SILENT,
    })
    const { mountpoint } = await cache.create('db', {
      mode: '0750',
      'label.note': CANARY,
    })
    await fs.writeFile(join(mountpoint, CANARY), CANARY)
    await cache.close()
    const place = await openPlace({
      complaints: [`STOWAGE_STORES="x=local:?password=${CANARY}" is not valid`],
      strangers: ['STOWAGE_API_TOKEN'],
      settings: {
        dataRoot,
        socket: join(directory.path, 'stowage.sock'),
        adminSocket: join(directory.path, 'admin.sock'),
        implements: ['volume'],
        stores,
      },
      docker: new DockerClient(join(directory.path, 'docker.sock')),
    })
    const bundle = await supportBundle(place, await diagnose(place), {
      version: '1.2.3',
      described: new Map([
        ['STOWAGE_STORES', `a=local:/x?token=${CANARY}`],
        ['STOWAGE_UPSTREAM', `https://user:${CANARY}@host/path`],
        ['STOWAGE_SECRET', CANARY],
      ]),
    })
    const text = JSON.stringify(bundle)
    expect(text).to.not.include(CANARY)
    // What a helper needs is there all the same.
    expect(text).to.include('"mode":"0750"').and.to.include('bad-setting')
    expect(text).to.include('https://(redacted)@host/path')
  })
})
