import { expect } from 'chai'
import type { DockerdClient } from '../../src/conformance/dockerd-client.ts'

/**
 * What dockerd 20.10 was recorded to send, in short: `G` Get, `C` Create, `M(id)`
 * Mount, `U(id)` Unmount, `R` Remove, `L` List, each for one volume.
 */
interface Sequence {
  readonly calls: string
  /** Whether the volume is there at the end, and how many hold it. */
  readonly ends: 'absent' | number
}

const CREATE = 'G C'

const SEQUENCES: Readonly<Record<string, Sequence>> = {
  'creates a volume': { calls: CREATE, ends: 0 },
  'creates a volume that is there': { calls: `${CREATE} G`, ends: 0 },
  'lists and inspects volumes': { calls: `${CREATE} L G`, ends: 0 },
  'removes a volume': { calls: `${CREATE} G G R`, ends: 'absent' },
  'removes a volume that is not there': { calls: 'G', ends: 'absent' },
  'creates a container, and copies up into the volume': {
    calls: `${CREATE} G M(a) G U(a)`,
    ends: 0,
  },
  'starts and stops a container': {
    calls: `${CREATE} G M(a) G U(a) G M(b) G U(b)`,
    ends: 0,
  },
  'restarts a container': {
    calls: `${CREATE} G M(b) U(b) M(c)`,
    ends: 1,
  },
  'copies out of a running container': {
    calls: `${CREATE} G M(b) G M(b) G U(b)`,
    ends: 1,
  },
  'copies into a running container': {
    calls: `${CREATE} G M(b) G M(b) G U(b) G M(b) G U(b)`,
    ends: 1,
  },
  'copies into a running container and stops it': {
    calls: `${CREATE} G M(b) G M(b) G U(b) G M(b) G U(b) G U(b)`,
    ends: 0,
  },
  'runs two containers on one volume, and stops one': {
    calls: `${CREATE} G M(a) G M(b) G U(a)`,
    ends: 1,
  },
  'removes a container with its anonymous volume': {
    calls: `${CREATE} G M(a) G U(a) G G R`,
    ends: 'absent',
  },
  'restarts after a crash, with the id that it had before': {
    calls: `${CREATE} G M(a) G M(a) G U(a)`,
    ends: 1,
  },
  'removes a volume that a crash left mounted': {
    calls: `${CREATE} G M(a) G M(a) G U(a) G G R`,
    ends: 'absent',
  },
  'restarts under live-restore, and stops a container later': {
    calls: `${CREATE} G M(a) G G U(a)`,
    ends: 0,
  },
}

/**
 * Docker's own sequences of volume calls, as tests of whatever answers them.
 *
 * @param docker Talks to a plugin that has no volumes.
 */
export function describeVolumeSequences(
  name: string,
  docker: () => DockerdClient,
): void {
  describe(`Docker on ${name}`, () => {
    for (const [title, { calls, ends }] of Object.entries(SEQUENCES)) {
      it(title, async () => {
        for (const [, verb, id] of calls.matchAll(/(\w)(?:\((\w)\))?/g)) {
          await send(docker(), String(verb), id?.repeat(64))
        }
        const { Volume } = await call(docker(), 'Get')
        if (ends === 'absent') {
          expect(Volume).to.equal(null)
        } else {
          expect(Volume).to.have.nested.property('Status.holders', ends)
        }
      })
    }
  })
}

const Name = 'vol1'

function call(docker: DockerdClient, method: string, fields = {}) {
  return docker.call(`VolumeDriver.${method}`, { Name, ...fields })
}

async function send(
  docker: DockerdClient,
  verb: string,
  id = '',
): Promise<void> {
  switch (verb) {
    case 'C':
      await call(docker, 'Create', { Opts: null })
      break
    case 'R':
      await call(docker, 'Remove')
      break
    case 'L': {
      const { Volumes } = await docker.call('VolumeDriver.List', {})
      expect(Volumes).to.have.length(1)
      break
    }
    case 'M': {
      const { Mountpoint } = await call(docker, 'Mount', { ID: id })
      expect(Mountpoint).to.match(/^\//)
      break
    }
    case 'U':
      await call(docker, 'Unmount', { ID: id })
      break
    default:
      await call(docker, 'Get')
  }
}
