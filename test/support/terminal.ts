import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import type { PrivateHost } from './private-host.ts'

/** A shell script for each command that is not what a reader has. */
export type StandIns = Readonly<Record<string, string>>

/**
 * Where a reader of our pages types what they say: in the folder of the program,
 * on a private host, with stand-ins for what only a whole machine can do.
 */
export class Terminal {
  readonly #host: PrivateHost

  private constructor(host: PrivateHost) {
    this.#host = host
  }

  static async open(host: PrivateHost, standIns: StandIns): Promise<Terminal> {
    const bin = join(host.directory, 'bin')
    await fs.mkdir(bin)
    for (const [name, script] of Object.entries(standIns)) {
      await fs.writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, {
        mode: 0o755,
      })
    }
    return new Terminal(host)
  }

  /** What the lines say. Rejects as soon as one of them fails. */
  type(lines: string): Promise<string> {
    const { directory, dockerEnv } = this.#host
    return this.#host.inside(
      'env',
      `PATH=${directory}/bin:${process.env.PATH}`,
      `DOCKER_HOST=${dockerEnv.DOCKER_HOST}`,
      `PAGES_ROOT=${directory}/service`,
      'sh',
      '-ec',
      `cd '${process.cwd()}'\n${lines}`,
    )
  }
}
