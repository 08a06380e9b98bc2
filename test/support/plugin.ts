import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const CREATE = join(import.meta.dirname, '../../plugin/create.js')

/** What `npm run plugin:create` says after it has built, on the Docker at `socket`. */
export async function createPlugin(socket: string): Promise<string> {
  const env = { ...process.env, DOCKER_HOST: `unix://${socket}` }
  const { stdout } = await run(process.execPath, [CREATE], { env })
  return stdout
}
