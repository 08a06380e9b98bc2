import { expect } from 'chai'
import type { DockerdClient } from '../../src/conformance/dockerd-client.ts'
import { forgeTar } from '../../src/conformance/forge-tar.ts'

/**
 * What dockerd 20.10 was recorded to send, in short:
 *
 *     C(id,parent) CRW(id,parent)   Create, CreateReadWrite
 *     G(id) P(id) R(id)             Get, Put, Remove
 *     A(id,parent) A!(id,parent)    ApplyDiff, and one that is cut off
 *     D(id,parent)                  Diff
 *     DA(id,parent,new,parent)      Diff, applied to a new layer while it is read
 *     Changes(id,parent) DiffSize(id,parent) GetMetadata(id)
 *
 * `!` behind a name says that the call must fail. `p` is the top layer of an image
 * that is there, `X` a container, `X-init` what Docker puts beneath it.
 */
interface Sequence {
  readonly calls: string
  /** The layers that are there at the end, beside `base` and `p`. */
  readonly left: string
}

const IMAGE = 'C(base) A(base) C(p,base) A(p,base)'
const CREATED = 'CRW(X-init,p) G(X-init) P(X-init) CRW(X,X-init) G(X) P(X)'

const SEQUENCES: Readonly<Record<string, Sequence>> = {
  'pulls an image': {
    calls: 'C(L1) A(L1) C(L2,L1) A(L2,L1)',
    left: 'L1 L2',
  },
  'pulls a layer that it has already': {
    calls: 'C(L1) A(L1) R(L1)',
    left: '',
  },
  'pulls a layer whose download breaks, and pulls it again': {
    calls: 'C(L1) A!(L1) R(L1) C(L1) A(L1)',
    left: 'L1',
  },
  'creates a container': {
    calls: CREATED,
    left: 'X X-init',
  },
  'starts, restarts and stops a container': {
    calls: `${CREATED} G(X) P(X) G(X) P(X) G(X) G(X) P(X) G(X) P(X) P(X)`,
    left: 'X X-init',
  },
  'starts a container whose layer is gone': {
    calls: 'G!(X) P(X)',
    left: '',
  },
  'removes a container': {
    calls: `${CREATED} R(X) R(X-init)`,
    left: '',
  },
  'removes a running container': {
    calls: `${CREATED} G(X) P(X) R(X) R(X-init)`,
    left: '',
  },
  'removes what it has removed': {
    calls: `${CREATED} R(X) R(X-init) R(X) R(X-init)`,
    left: '',
  },
  'looks into a container': {
    calls: `${CREATED} Changes(X,X-init) DiffSize(X,X-init) GetMetadata(X) GetMetadata(p)`,
    left: 'X X-init',
  },
  'copies out of a running container and into it': {
    calls: `${CREATED} G(X) G(X) P(X) G(X) P(X) G(X) P(X) P(X)`,
    left: 'X X-init',
  },
  'commits a container': {
    calls: `${CREATED} G(X) DA(X,X-init,N,p) P(X) R(X) R(X-init) G(N) P(N)`,
    left: 'N',
  },
  'saves an image, and removes it': {
    calls: 'C(L1) A(L1) C(L2,L1) A(L2,L1) G(L1) P(L1) G(L2) P(L2) R(L2) R(L1)',
    left: '',
  },
  'builds COPY with the classic builder': {
    calls: 'CRW(Y,p) G(Y) DA(Y,p,N,p) P(Y) R(Y)',
    left: 'N',
  },
  'builds RUN with the classic builder': {
    calls: `${CREATED} G(X) P(X) G(X) DA(X,X-init,N,p) P(X) R(X) R(X-init)`,
    left: 'N',
  },
  'builds with BuildKit, whose views of images are never put': {
    calls:
      'C(key,p) G(key) G(key) P(key) P(key) DiffSize(key,p) D(key,p) CRW(V,key) G(V) R(V) C(key2,key) G(key2) P(key2) D(key2,key)',
    left: 'key key2',
  },
  'prunes what BuildKit has left': {
    calls: 'C(key,p) G(key) P(key) C(key2,key) G(key2) P(key2) R(key2) R(key)',
    left: '',
  },
  'comes back after a crash in which a container died': {
    calls: `${CREATED} P(X) G(X) P(X) G(X) P(X) R(X) R(X-init)`,
    left: '',
  },
}

/**
 * Docker's own sequences of graph calls, as tests of whatever answers them.
 *
 * @param docker Talks to a plugin that has had its Init and has no layers.
 */
export function describeGraphSequences(
  name: string,
  docker: () => DockerdClient,
): void {
  describe(`Docker on ${name}`, () => {
    for (const [title, { calls, left }] of Object.entries(SEQUENCES)) {
      it(title, async () => {
        const run = new Run(docker())
        await run.all(IMAGE)
        await run.all(calls)
        const expected = ['base', 'p', ...left.split(' ').filter(Boolean)]
        expect(await run.layers()).to.have.members(expected)
      })
    }

    it('starts, looks around, and stops', async () => {
      for (let life = 0; life < 2; life++) {
        await docker().call('Plugin.Activate')
        const told = await docker().call('GraphDriver.Capabilities', {})
        expect(told.Capabilities).to.deep.equal({ ReproducesExactDiffs: false })
        const { Status } = await docker().call('GraphDriver.Status', {})
        expect(Status).to.be.an('array').not.empty
        await docker().call('GraphDriver.Cleanup', {})
      }
    })
  })
}

/** One sequence on its way. */
class Run {
  readonly #docker: DockerdClient
  readonly #ids = new Set<string>()
  readonly #directories = new Map<string, unknown>()

  constructor(docker: DockerdClient) {
    this.#docker = docker
  }

  async all(calls: string): Promise<void> {
    for (const [, verb, fails, list] of calls.matchAll(/(\w+)(!?)\((.*?)\)/g)) {
      const [id = '', parent = '', ...rest] = String(list).split(',')
      this.#ids.add(id)
      const call = this.#call(String(verb), id, parent, rest, fails === '!')
      const failure = await call.then(
        () => undefined,
        (error: unknown) => error,
      )
      if ((failure !== undefined) !== (fails === '!')) {
        throw new Error(`${verb}(${list}) of ${calls}`, { cause: failure })
      }
    }
  }

  /** The layers that are there, of all that were ever named. */
  async layers(): Promise<string[]> {
    const present: string[] = []
    for (const id of this.#ids) {
      const { Exists } = await this.#graph('Exists', id)
      if (Exists === true) present.push(id)
    }
    return present
  }

  async #call(
    verb: string,
    id: string,
    parent: string,
    [newId = '', newParent = '']: readonly string[],
    fails: boolean,
  ): Promise<unknown> {
    switch (verb) {
      case 'C':
        return this.#graph('Create', id, parent)
      case 'CRW':
        return this.#graph('CreateReadWrite', id, parent)
      case 'G':
        return this.#get(id)
      case 'P':
        return this.#graph('Put', id)
      case 'R':
        return this.#graph('Remove', id)
      case 'A':
        return fails ? this.#cut(id, parent) : this.#apply(id, parent)
      case 'D':
        return this.#drain(id, parent)
      case 'DA': {
        this.#ids.add(newId)
        await this.#graph('Create', newId, newParent)
        const tar = await this.#docker.diff({ ID: id, Parent: parent })
        return this.#docker.applyDiff(newId, newParent, tar)
      }
      default:
        return this.#graph(verb, id, parent)
    }
  }

  #graph(method: string, id: string, parent = '') {
    // Go leaves empty fields out.
    const fields = parent === '' ? { ID: id } : { ID: id, Parent: parent }
    return this.#docker.call(`GraphDriver.${method}`, fields)
  }

  /** Docker keeps the path, and fails if it ever changes. */
  async #get(id: string): Promise<void> {
    const { Dir } = await this.#graph('Get', id)
    expect(Dir).to.match(/^\//)
    expect(this.#directories.get(id) ?? Dir).to.equal(Dir)
    this.#directories.set(id, Dir)
  }

  async #apply(id: string, parent: string): Promise<void> {
    const tar = forgeTar({ name: `of-${id}`, content: id.repeat(1000) })
    const { Size } = await this.#docker.applyDiff(id, parent, tar)
    expect(Size).to.be.a('number')
  }

  async #cut(id: string, parent: string): Promise<never> {
    const tar = forgeTar({ name: `of-${id}`, content: id.repeat(1000) })
    const path = `GraphDriver.ApplyDiff?id=${id}&parent=${parent}`
    await this.#docker.cutUpload(path, tar.subarray(0, 700))
    throw new Error('io: read/write on closed pipe')
  }

  async #drain(id: string, parent: string): Promise<void> {
    let bytes = 0
    const tar = await this.#docker.diff({ ID: id, Parent: parent })
    for await (const chunk of tar) bytes += chunk.length
    expect(bytes % 512).to.equal(0)
    expect(bytes).to.be.at.least(1024)
  }
}
