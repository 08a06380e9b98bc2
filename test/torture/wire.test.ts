import { once } from 'node:events'
import * as net from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { ENDPOINTS } from '../../src/admin/contract/endpoints.ts'
import { withDeadline } from '../../src/base/deadline.ts'
import { needs } from '../../src/conformance/capabilities.ts'
import { SHARED_MEMORY } from '../../src/conformance/temp-dir.ts'
import { amount, failWith, tell } from '../support/campaign.ts'
import { type DaemonProcess, useDaemons } from '../support/daemon-process.ts'
import { usageOfProcess } from '../support/process-usage.ts'
import { type Random, randomFrom } from '../support/random-from.ts'

/** How many requests are made of random bytes. */
const REQUESTS = amount('STOWAGE_REQUESTS', 300)
const CONNECTIONS = amount('STOWAGE_CONNECTIONS', 1000)
const SEED = amount('STOWAGE_SEED', Date.now() % 2 ** 31)

/** Milliseconds after which a request that was sent whole counts as forgotten. */
const PATIENCE = 10_000

/** Memory that V8 may keep when all is over. */
const KEPT = 96 * 1024 ** 2

/** Descriptors of threads that only a later call brings about. */
const OF_THREADS = 32

const METHODS = [
  ...['Create', 'Remove', 'Mount', 'Unmount', 'Path', 'Get', 'List'].map(
    (method) => `VolumeDriver.${method}`,
  ),
  ...[
    'Create',
    'CreateReadWrite',
    'Remove',
    'Get',
    'Put',
    'Exists',
    'Diff',
  ].map((method) => `GraphDriver.${method}`),
  ...['Status', 'GetMetadata', 'Changes', 'DiffSize', 'Init'].map(
    (method) => `GraphDriver.${method}`,
  ),
  'GraphDriver.ApplyDiff?id=other&parent=',
  'GraphDriver.ApplyDiff',
  'Plugin.Activate',
  '../../etc/passwd',
  '%00',
]

/** Values of no type that anybody expects, or far more than that. */
const VALUES: readonly (() => string)[] = [
  () => '[]',
  () => '{}',
  () => 'null',
  () => '-1e999',
  () => 'true',
  () => '"../../../etc"',
  () => '"\\u0000"',
  () => '"\\ud800"',
  () => '"__proto__"',
  () => '{"__proto__":{"a":1},"constructor":7}',
  () => JSON.stringify('x'.repeat(1024 ** 2)),
  () => `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
  () => `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
  () => `{${Array.from({ length: 20_000 }, (_, at) => `"k${at}":"v"`).join()}}`,
]

const FIELDS = `
  Name ID Parent Opts StorageOpt UIDMaps MountLabel
  name options to capacity snapshot isProtected pause
  spec volumes cron keep path level isDryRun
`
  .trim()
  .split(/\s+/)

/** What stands in an administrator's paths for a name. */
const NAMES = ['other', '..%2f..%2fetc', '%00', '%ff', '__proto__', '*', '']

/** What Docker may ask for, and an administrator; events have no end. */
const TARGETS: readonly Target[] = [
  ...METHODS.map((method) => ({ verb: 'POST', path: method })),
  ...Object.values(ENDPOINTS)
    .filter(({ path }) => path !== '/events')
    .map(({ method, path }) => ({ verb: method, path, isAdmin: true })),
]

interface Target {
  readonly verb: string
  readonly path: string
  readonly isAdmin?: boolean
}

describe('A daemon whose sockets are abused', function () {
  needs('root', 'overlay')
  this.timeout(120_000 + REQUESTS * 200)
  const place = useDaemons(() => SHARED_MEMORY)
  let daemon: DaemonProcess
  let before: { memory: number; descriptors: number }

  beforeEach(async () => {
    daemon = await place.start()
    await daemon.logged('Serving')
    const { docker } = daemon
    await docker.call('GraphDriver.Init', { Home: join(place.path, 'home') })
    await docker.call('GraphDriver.Create', { ID: 'canary' })
    await docker.call('VolumeDriver.Create', { Name: 'canary', Opts: {} })
    before = await usageOfProcess(daemon.pid)
  })

  /** Others are served, and nothing that was opened for the abuse stays open. */
  const isWell = async (): Promise<void> => {
    await answersOthers(daemon)
    daemon.docker.close()
    for (let tries = 0; ; tries++) {
      const { memory, descriptors } = await usageOfProcess(daemon.pid)
      if (
        descriptors <= before.descriptors + OF_THREADS &&
        memory < before.memory + KEPT
      )
        break
      if (tries > 50) expect({ memory, descriptors }).to.deep.equal(before)
      await sleep(100)
    }
    expect(
      daemon.log.filter(({ message }) => message === 'Uncaught exception'),
    ).to.deep.equal([])
    expect(await daemon.stop()).to.include({ code: 0 })
  }

  it(`answers or cuts ${REQUESTS} requests that nobody should send`, async () => {
    const statuses: Record<string, number> = {}
    for (let at = 0; at < REQUESTS; at++) {
      const seed = SEED + at
      try {
        const status = await abuse(daemon, randomFrom(seed))
        statuses[status] = (statuses[status] ?? 0) + 1
        if (at % 20 === 0) await answersOthers(daemon)
        // Threads and pools of memory that anybody's first calls bring about.
        if (at === Math.ceil(REQUESTS / 4)) {
          before = await usageOfProcess(daemon.pid)
        }
      } catch (error) {
        failWith(`STOWAGE_REQUESTS=1 STOWAGE_SEED=${seed}`, error)
      }
    }
    await isWell()
    tell('Wire, requests', `${REQUESTS}, answered ${JSON.stringify(statuses)}`)
  })

  it(`serves others while ${CONNECTIONS} connections say nothing, or half of something`, async () => {
    const heads = [
      '',
      'POST',
      'POST /VolumeDriver.List HTTP/1.1\r\nHost: \r\n',
      head('VolumeDriver.List', 50) + '{',
    ]
    const sockets: net.Socket[] = []
    for (let at = 0; at < CONNECTIONS; at++) {
      const socket = await connect(daemon)
      socket.write(heads[at % heads.length]!)
      sockets.push(socket)
      // The queue of those who wait to be taken is short of that many.
      if (at % 200 === 0) await answersOthers(daemon)
    }
    const began = performance.now()
    for (let call = 0; call < 20; call++) await answersOthers(daemon)
    const each = (performance.now() - began) / 20
    for (const socket of sockets) socket.destroy()
    await isWell()
    tell(
      'Wire, connections',
      `${CONNECTIONS} open, others answered in ${each.toFixed(1)} ms`,
    )
  })

  it('answers what comes all at once in its order, to the last', async () => {
    const count = 500
    const socket = await connect(daemon)
    const body = JSON.stringify({ Name: 'canary' })
    const one = head('VolumeDriver.Get', body.length) + body
    const other = head('GraphDriver.Exists', 15) + '{"ID":"canary"}'
    socket.write((one + other).repeat(count))
    const all = withDeadline(
      'Answering all',
      PATIENCE,
      readUntil(socket, count * 2),
    )
    const answers = (await all).match(/"Name":"canary"|"Exists":true/g) ?? []
    expect(answers).to.deep.equal(
      Array.from({ length: count }, () => [
        '"Name":"canary"',
        '"Exists":true',
      ]).flat(),
    )
    socket.destroy()
    await isWell()
    tell(
      'Wire, pipelining',
      `${count * 2} requests in one piece, all answered in order`,
    )
  })

  it('serves others while bodies trickle in, and those too in the end', async () => {
    const count = 50
    const body = JSON.stringify({ Name: 'canary' })
    const slow = Array.from({ length: count }, async () => {
      const socket = await connect(daemon)
      socket.write(head('VolumeDriver.Get', body.length))
      for (const byte of body) {
        socket.write(byte)
        await sleep(20)
      }
      const answer = await readUntil(socket, 1)
      socket.destroy()
      return answer
    })
    for (let call = 0; call < 20; call++) await answersOthers(daemon)
    for (const answer of await Promise.all(slow)) {
      expect(answer).to.include('"Name":"canary"')
    }
    await isWell()
    tell(
      'Wire, slow bodies',
      `${count} at once, a byte every 20 ms, all answered`,
    )
  })
})

async function answersOthers({ docker }: DaemonProcess): Promise<void> {
  const asked = Promise.all([
    docker.call('VolumeDriver.Get', { Name: 'canary' }),
    docker.call('GraphDriver.Exists', { ID: 'canary' }),
  ])
  const [{ Volume }, { Exists }] = await withDeadline(
    'Answering others',
    PATIENCE,
    asked,
  )
  expect(Volume).to.have.property('Name', 'canary')
  expect(Exists).to.equal(true)
}

function head(method: string, length: number): string {
  return `POST /${method} HTTP/1.1\r\nHost: \r\nContent-Length: ${length}\r\n\r\n`
}

async function connect(
  { socketPath, adminSocketPath }: DaemonProcess,
  isAdmin = false,
): Promise<net.Socket> {
  const path = isAdmin ? adminSocketPath : socketPath
  for (;;) {
    const socket = net.connect({ path, allowHalfOpen: true })
    socket.on('error', () => undefined)
    try {
      await once(socket, 'connect')
      return socket
    } catch {
      // Its queue is full for a moment.
      await sleep(5)
    }
  }
}

/** Reads until so many answers have come, whatever they are. */
async function readUntil(socket: net.Socket, answers: number): Promise<string> {
  let read = ''
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    read += chunk
    if (
      (read.match(/HTTP\/1\.1 \d/g) ?? []).length >= answers &&
      read.endsWith('}')
    )
      break
  }
  return read
}

/** Sends one bad request, and answers with the status of what comes back. */
async function abuse(daemon: DaemonProcess, random: Random): Promise<string> {
  const target = TARGETS[random(TARGETS.length)]!
  const socket = await connect(daemon, target.isAdmin)
  const bytes = badRequest(target, random)
  for (let at = 0; at < bytes.length;) {
    const size = random(4) === 0 ? 1 + random(2000) : bytes.length
    socket.write(bytes.subarray(at, at + size))
    at += size
    if (random(8) === 0) await sleep(random(5))
  }
  if (random(6) === 0) socket.destroy()
  else socket.end()
  if (socket.destroyed) return 'left'
  const answer = await withDeadline(
    'Answering a bad request',
    PATIENCE,
    text(socket).catch(() => ''),
  )
  socket.destroy()
  const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 'cut'
  // Docker's errors are no others; an administrator's have kinds.
  if (target.isAdmin) expect(status, answer).to.not.equal('500')
  return status
}

function badRequest(target: Target, random: Random): Buffer {
  const name = NAMES[random(NAMES.length)]!
  const path = target.path.replace(/^\//, '').replaceAll(/\{\w+\}/g, name)
  const body = badBody(random)
  const framing = [
    `Content-Length: ${Buffer.byteLength(body)}`,
    `Content-Length: ${Buffer.byteLength(body) + 1 + random(50)}`,
    `Content-Length: ${random(Buffer.byteLength(body) + 1)}`,
    'Content-Length: -1',
    'Content-Length: 99999999999999999999',
    'Transfer-Encoding: chunked',
    `Transfer-Encoding: chunked\r\nContent-Length: ${body.length}`,
    `X-Long: ${'y'.repeat(random(100_000))}`,
    '',
  ]
  // Mostly whole requests, for the others are soon dealt with.
  const at = random(3) === 0 ? random(framing.length) : 0
  const verb = random(12) === 0 ? 'GET' : target.verb
  const whole = Buffer.from(
    `${verb} /${path} HTTP/1.1\r\nHost: x\r\n${framing[at]}\r\n\r\n${body}`,
  )
  if (random(5) > 0) return whole
  for (let times = random(10); times > 0; times--) {
    whole[random(Math.min(whole.length, 300))] = random(256)
  }
  return whole.subarray(0, random(whole.length + 1))
}

function badBody(random: Random): string {
  const value = (): string => VALUES[random(VALUES.length)]!()
  if (random(4) === 0) return value()
  const fields = FIELDS.filter(() => random(2) === 0).map((field) => {
    const isUsual = random(2) === 0
    return `"${field}":${isUsual ? '"other"' : value()}`
  })
  return `{${fields.join()}}`
}
