import { setTimeout as sleep } from 'node:timers/promises'
import * as http from 'node:http'
import { once } from 'node:events'
import type { Answer } from '../dockerd-client.ts'
import { type Bench, isJson } from './bench.ts'
import { type Check, NotExamined } from './check.ts'

const KNOWN = ['VolumeDriver', 'GraphDriver']

/** What is true of every plugin, whatever it serves. */
export const TRANSPORT_CHECKS: readonly Check[] = [
  {
    area: 'transport',
    title: 'names its interfaces when it is activated without a body',
    weight: 'must',
    async run(bench) {
      const interfaces = await interfacesOf(bench)
      if (interfaces.some((name) => KNOWN.includes(name))) return
      throw new Error(`Implements is ${JSON.stringify(interfaces)}`)
    },
  },
  {
    area: 'transport',
    title: 'answers every success with 200 and a JSON object',
    weight: 'must',
    async run(bench) {
      for (const method of await harmless(bench)) {
        const { status, body } = await bench.post(method, {})
        if (status === 404) continue
        if (status === 200 && isJson(parsed(body))) continue
        throw new Error(`${method} was answered ${status} ${shown(body)}`)
      }
    },
  },
  {
    area: 'transport',
    title: 'tells what fails in JSON with Err, which Docker shows',
    weight: 'must',
    async run(bench) {
      const { status, body } = await failing(bench)
      const answer = parsed(body)
      if (isJson(answer) && typeof answer.Err === 'string' && answer.Err !== '')
        return
      throw new Error(`The failure was told as ${status} ${shown(body)}`)
    },
  },
  {
    area: 'transport',
    title: 'tells a failure by another status than 200',
    weight: 'should',
    async run(bench) {
      const { status } = await failing(bench)
      if (status === 200) throw new Error('The failure was told with 200')
    },
  },
  {
    area: 'transport',
    title:
      'never says 404 for what does not exist: Docker takes that for a missing method',
    weight: 'must',
    async run(bench) {
      const { status } = await failing(bench)
      if (status === 404) throw new Error('The failure was told with 404')
    },
  },
  {
    area: 'transport',
    title: 'says 404 for a method that it does not have',
    weight: 'should',
    async run(bench) {
      const { status } = await bench.post('VolumeDriver.Conform', {})
      if (status !== 404) throw new Error(`It was answered ${status}`)
    },
  },
  {
    area: 'transport',
    title: 'refuses a body that is no JSON, and goes on',
    weight: 'should',
    async run(bench) {
      const [method = ''] = await harmful(bench)
      const { status } = await bench.post(method, '{"Name": "x", ')
      if (status === 200) throw new Error(`${method} was answered 200`)
      await bench.post('Plugin.Activate')
    },
  },
  {
    area: 'transport',
    title: 'acts on no call without a body: Docker repeats lost ones so',
    weight: 'should',
    async run(bench) {
      for (const method of await harmful(bench)) {
        const { status, body } = await bench.post(method, '')
        const answer = parsed(body)
        if (status !== 200 || (isJson(answer) && answer.Err)) continue
        throw new Error(`${method} was answered 200 ${shown(body)}`)
      }
    },
  },
  {
    area: 'transport',
    title: 'keeps idle connections open: Docker uses them again',
    weight: 'should',
    async run(bench) {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
      try {
        const socket = await activated(bench, agent)
        await sleep(bench.options.idle)
        if (socket !== (await activated(bench, agent))) {
          throw new Error(
            `It closed a connection that was idle for ${bench.options.idle / 1000} s`,
          )
        }
      } finally {
        agent.destroy()
      }
    },
  },
  {
    area: 'transport',
    title: 'answers a hundred calls at once',
    weight: 'must',
    async run(bench) {
      const [method = 'Plugin.Activate'] = await harmless(bench)
      const calls = Array.from({ length: 100 }, () => bench.post(method, {}))
      for (const { status } of await Promise.all(calls)) {
        if (status !== 200) throw new Error(`${method} was answered ${status}`)
      }
    },
  },
]

export async function interfacesOf(bench: Bench): Promise<readonly string[]> {
  const { body } = await bench.post('Plugin.Activate')
  const answer = parsed(body)
  if (isJson(answer) && Array.isArray(answer.Implements)) {
    return answer.Implements.map(String)
  }
  throw new Error(`Plugin.Activate was answered ${shown(body)}`)
}

/** Calls that succeed and change nothing. */
async function harmless(bench: Bench): Promise<readonly string[]> {
  const interfaces = await interfacesOf(bench)
  return [
    ...(interfaces.includes('VolumeDriver')
      ? ['VolumeDriver.List', 'VolumeDriver.Capabilities']
      : []),
    ...(interfaces.includes('GraphDriver')
      ? ['GraphDriver.Status', 'GraphDriver.Capabilities']
      : []),
  ]
}

/** Calls that change something, of which each names what. */
async function harmful(bench: Bench): Promise<readonly string[]> {
  const interfaces = await interfacesOf(bench)
  return [
    ...(interfaces.includes('VolumeDriver')
      ? ['Create', 'Mount', 'Remove'].map((name) => `VolumeDriver.${name}`)
      : []),
    ...(interfaces.includes('GraphDriver')
      ? ['Create', 'Get', 'Remove'].map((name) => `GraphDriver.${name}`)
      : []),
  ]
}

/** The answer to a call that must fail: what it is for does not exist. */
async function failing(bench: Bench): Promise<Answer> {
  const interfaces = await interfacesOf(bench)
  if (interfaces.includes('VolumeDriver')) {
    const fields = { Name: bench.name(), ID: 'a' }
    return bench.post('VolumeDriver.Mount', fields)
  }
  if (interfaces.includes('GraphDriver')) {
    return bench.post('GraphDriver.Get', { ID: bench.name() })
  }
  throw new NotExamined('it has no interface that is known here')
}

/** Activates the plugin by a connection of `agent`, and answers which that was. */
async function activated(bench: Bench, agent: http.Agent): Promise<unknown> {
  const { socket: socketPath } = bench.options
  const path = '/Plugin.Activate'
  const request = http.request({ socketPath, agent, method: 'POST', path })
  request.end()
  const [response]: http.IncomingMessage[] = await once(request, 'response')
  response?.resume()
  if (response !== undefined) await once(response, 'end')
  return request.socket
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

function shown(body: string): string {
  return body === '' ? 'without a body' : JSON.stringify(body.slice(0, 200))
}
