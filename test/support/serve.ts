import { join } from 'node:path'
import { listenOn } from '../../src/linux/unix-socket.ts'
import { SILENT } from '../../src/base/log.ts'
import { createApp, type PluginInterface } from '../../src/protocol/app.ts'
import { messagesFor } from '../../src/protocol/messages.ts'
import { Server } from '../../src/protocol/server.ts'
import { DockerdClient } from '../../src/conformance/dockerd-client.ts'
import { useTempDir } from '../../src/conformance/temp-dir.ts'

/** A plugin that answers on a socket while a test runs, and Docker beside it. */
export interface ServedPlugin {
  readonly socketPath: string
  readonly docker: DockerdClient
}

/** Serves what `open` answers, anew for each test of the suite. */
export function useServedPlugin(
  open: () => readonly PluginInterface[] | Promise<readonly PluginInterface[]>,
  log = SILENT,
): ServedPlugin {
  const directory = useTempDir()
  let server: Server
  let docker: DockerdClient

  beforeEach(async () => {
    const app = createApp(await open(), log)
    server = new Server(app, messagesFor(app))
    await server.listen(listenOn(join(directory.path, 'plugin.sock'), 0o660))
    docker = new DockerdClient(join(directory.path, 'plugin.sock'))
  })
  afterEach(() => {
    docker.close()
    server.close()
  })
  return {
    get socketPath() {
      return join(directory.path, 'plugin.sock')
    },
    get docker() {
      return docker
    },
  }
}
