import type { IdMap } from '../archive/id-map.ts'
import { sendTar } from '../archive/tar-stream.ts'
import type { CreateOptions, LayerId } from '../graph/driver.ts'
import type { GraphHost } from '../graph/host.ts'
import { Fields } from './fields.ts'
import { readJson } from './json-body.ts'
import { answer, type Methods, sendJson } from './rpc.ts'
import { withWholeBody } from './whole-body.ts'
import { wireChanges } from './wire-changes.ts'

const TAR = 'application/x-tar'

/** Docker's longest id is 69 characters; drivers need room for names of their own. */
const LONGEST_ID = 128

/**
 * Docker's `GraphDriver.*` methods, a line or two of translation each.
 *
 * Failures are thrown here and become `{ "Err": … }` in `reply.ts`.
 */
export function graphRoutes(host: Pick<GraphHost, 'init' | 'driver'>): Methods {
  const routes: Methods = new Map()

  answer(routes, 'GraphDriver.Init', async (request) => {
    await host.init({
      home: request.absolutePath('Home'),
      options: request.strings('Opts'),
      uidMaps: idMap(request.list('UIDMaps')),
      gidMaps: idMap(request.list('GIDMaps')),
    })
  })

  // A tar made anew from files is never the very bytes that came in. Whoever
  // claims otherwise makes Docker throw away what it restores them from.
  answer(routes, 'GraphDriver.Capabilities', async () => {
    return { Capabilities: { ReproducesExactDiffs: false } }
  })

  answer(routes, 'GraphDriver.Create', async (request) => {
    await host.driver.create(...layer(request), createOptions(request))
  })

  answer(routes, 'GraphDriver.CreateReadWrite', async (request) => {
    await host.driver.createReadWrite(...layer(request), createOptions(request))
  })

  answer(routes, 'GraphDriver.Remove', async (request) => {
    await host.driver.remove(id(request))
  })

  answer(routes, 'GraphDriver.Get', async (request) => {
    const label = request.string('MountLabel')
    return { Dir: await host.driver.get(id(request), label) }
  })

  answer(routes, 'GraphDriver.Put', async (request) => {
    await host.driver.put(id(request))
  })

  answer(routes, 'GraphDriver.Exists', async (request) => {
    return { Exists: await host.driver.exists(id(request)) }
  })

  answer(routes, 'GraphDriver.Status', async () => {
    return { Status: await host.driver.status() }
  })

  answer(routes, 'GraphDriver.GetMetadata', async (request) => {
    return { Metadata: await host.driver.metadata(id(request)) }
  })

  answer(routes, 'GraphDriver.DiffSize', async (request) => {
    return { Size: await host.driver.diffSize(...layer(request)) }
  })

  answer(routes, 'GraphDriver.Cleanup', async () => {
    await host.driver.cleanup()
  })

  answer(routes, 'GraphDriver.Changes', async (request) => {
    return { Changes: wireChanges(host.driver.changes(...layer(request))) }
  })

  // Answers while it works. What fails before the first byte becomes an error; what
  // fails later cuts the connection, for a short tar must not look like a whole one;
  // and a reader who walks away ends the work.
  routes.set('GraphDriver.Diff', async (request, response) => {
    const asked = new Fields(await readJson(request))
    const tar = await host.driver.diff(...layer(asked))
    await sendTar(tar, response.type(TAR))
  })

  // Receives a tar as its body, so the layer is named in the query.
  routes.set('GraphDriver.ApplyDiff', async (request, response) => {
    const query = new Fields(request.query)
    response.locals.subject = query.string('id')
    const [target, parent] = layer(query, 'id', 'parent')
    const size = await withWholeBody(request, (tar) =>
      host.driver.applyDiff(target, parent, tar),
    )
    sendJson(response, 200, { Size: size })
  })

  return routes
}

function id(request: Fields): LayerId {
  return request.name('ID', LONGEST_ID)
}

function layer(
  request: Fields,
  idField = 'ID',
  parentField = 'Parent',
): [id: LayerId, parent: LayerId] {
  return [
    request.name(idField, LONGEST_ID),
    request.nameOrNone(parentField, LONGEST_ID),
  ]
}

function createOptions(request: Fields): CreateOptions {
  return {
    mountLabel: request.string('MountLabel'),
    storageOptions: request.stringMap('StorageOpt'),
  }
}

/** The one place where Docker writes its fields in snake case. */
function idMap(ranges: readonly Fields[]): IdMap {
  return ranges.map((range) => ({
    containerId: range.count('container_id'),
    hostId: range.count('host_id'),
    size: range.count('size'),
  }))
}
