import { expect } from 'chai'
import { z } from 'zod'
import type { Endpoint } from '../../src/admin/contract/endpoint.ts'
import { ENDPOINTS } from '../../src/admin/contract/endpoints.ts'
import {
  type OpenApiDocument,
  openApiDocument,
} from '../../src/admin/openapi.ts'
import { useAdmin } from '../support/admin.ts'

const TABLE: Readonly<Record<string, Endpoint>> = ENDPOINTS

describe('The OpenAPI document', () => {
  let document: OpenApiDocument

  before(async () => {
    document = await openApiDocument(ENDPOINTS, '1.2.3')
  })

  it('has each operation of the table, at its path and by its name', () => {
    const described = Object.entries(document.paths).flatMap(
      ([path, methods]) =>
        Object.entries(methods).map(([method, { operationId }]) => [
          operationId,
          `${method.toUpperCase()} ${path}`,
        ]),
    )
    const served = Object.entries(TABLE).map(([name, { method, path }]) => [
      name,
      `${method} ${path}`,
    ])
    expect(Object.fromEntries(described)).to.deep.equal(
      Object.fromEntries(served),
    )
    expect(described).to.have.length(served.length)
  })

  it('names every parameter that a path has, and no other', () => {
    for (const [name, { path, params }] of Object.entries(TABLE)) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, key]) => key)
      expect(Object.keys(params?.shape ?? {}), name).to.have.members(inPath)
    }
  })

  it('refers to nothing that it does not have', () => {
    const references = JSON.stringify(document).matchAll(
      /"\$ref":"#\/components\/schemas\/(\w+)"/g,
    )
    const known = Object.keys(document.components.schemas)
    for (const [, name] of references) expect(known).to.include(name)
  })

  it('says of each refusal which codes it stands for', () => {
    const { responses } = document.paths['/volumes/{name}']!.delete as {
      responses: Record<string, { description: string }>
    }
    expect(responses['204']).to.not.equal(undefined)
    expect(responses['409']!.description).to.equal('in-use')
    expect(responses['404']!.description).to.equal('not-found')
  })
})

describe('The API that is served', () => {
  const admin = useAdmin()

  const answers = async (
    name: keyof typeof ENDPOINTS,
    path: string,
    body?: unknown,
  ): Promise<void> => {
    const { method, answer, status = 200 }: Endpoint = ENDPOINTS[name]
    const answered = await admin.ask(`${method} ${path}`, body)
    expect(answered.status, `${name}: ${answered.text}`).to.equal(status)
    if (answer.kind === 'nothing') expect(answered.text, name).to.equal('')
    if (answer.kind === 'json') check(answer.schema, answered.body, name)
    if (answer.kind === 'lines') {
      for (const line of answered.text.split('\n').filter(Boolean)) {
        check(answer.schema, JSON.parse(line), name)
      }
    }
  }

  it('answers as it is described, from a volume’s birth to its end', async () => {
    await answers('createVolume', '/volumes', {
      name: 'db',
      options: { 'label.team': 'blue' },
    })
    await answers('listVolumes', '/volumes?label=team')
    await answers('inspectVolume', '/volumes/db')
    await answers('measureVolume', '/volumes/db/usage')
    await answers('setVolume', '/volumes/db', {
      options: { 'label.team': null, 'label.x': '1' },
    })
    await answers('protectVolume', '/volumes/db/protection', {
      isProtected: true,
    })
    await answers('protectVolume', '/volumes/db/protection', {
      isProtected: false,
    })
    await answers('createSnapshot', '/volumes/db/snapshots', { name: 'one' })
    await answers('listSnapshots', '/volumes/db/snapshots')
    await answers('rollbackVolume', '/volumes/db/snapshots/one/rollback')
    await answers('removeSnapshot', '/volumes/db/snapshots/one')
    await answers('cloneVolume', '/volumes/db/clone', { to: 'copy' })
    const [job] = (await admin.ask('GET /jobs')).body as { id: string }[]
    await answers('followJob', `/jobs/${job!.id}/progress`)
    await answers('inspectJob', `/jobs/${job!.id}`)
    await answers('cancelJob', `/jobs/${job!.id}`)
    await answers('listJobs', '/jobs')
    await answers('renameVolume', '/volumes/copy/rename', { to: 'other' })
    await answers('removeVolume', '/volumes/other')
    const removed = (await admin.ask('GET /trash')).body as { id: string }[]
    await answers('listTrash', '/trash')
    await answers('restoreTrash', `/trash/${removed[0]!.id}/restore`, {})
    await answers('removeVolume', '/volumes/other')
    await answers('emptyTrash', '/trash')
    await answers('exportVolume', '/volumes/db/archive')
    const { headers } = await admin.ask('GET /volumes/db/archive')
    expect(headers['stowage-job']).to.match(/^[0-9a-f]+$/)
    await answers('readAudit', '/audit')
  })

  it('answers as it is described, for stores, schedules and itself', async () => {
    await answers('listStores', '/stores')
    const path = `${admin.dataRoot}-second`
    await answers('addStore', '/stores', { spec: `second=local:${path}` })
    await answers('checkStore', '/stores/second/check')
    await answers('removeStore', '/stores/second')
    await answers('setSchedule', '/schedules/hourly', {
      volumes: ['db'],
      cron: '0 * * * *',
      keep: '4h:1d:2w',
    })
    await answers('runSchedule', '/schedules/hourly/run', { isDryRun: true })
    await answers('runSchedule', '/schedules/hourly/run', {})
    await answers('listSchedules', '/schedules')
    await answers('removeSchedule', '/schedules/hourly')
    await answers('inspectDaemon', '/daemon')
    await answers('checkHealth', '/health')
    await answers('checkReadiness', '/ready')
    await answers('describeApi', '/openapi.json')
    await answers('setLogLevel', '/log/level', { level: 'debug' })
    await answers('readLogLevel', '/log/level')
    const { text } = await admin.ask('GET /metrics')
    expect(text).to.match(
      /^stowage_store_up\{store="default",kind="local"\} 1$/m,
    )
  })

  it('refuses as it is described', async () => {
    const refusals = [
      ['GET /volumes/absent', 404, 'not-found'],
      ['GET /volumes?typo=1', 400, 'invalid-argument'],
      ['GET /nothing', 404, 'unknown-endpoint'],
      ['POST /volumes/db', 404, 'unknown-endpoint'],
      ['DELETE /stores/default', 409, 'in-use'],
      ['GET /jobs/absent', 404, 'not-found'],
    ] as const
    for (const [operation, status, code] of refusals) {
      const answered = await admin.ask(operation)
      const { error } = answered.body as { error: Record<string, unknown> }
      expect(answered.status, operation).to.equal(status)
      expect(error.code, operation).to.equal(code)
      expect(error.request).to.equal(answered.headers['stowage-request'])
    }
  })

  it('refuses bodies that are no JSON, and fields that it does not know', async () => {
    const broken = await admin.ask('POST /volumes', Buffer.from('{"name":'))
    expect(broken.status).to.equal(400)
    const { status, text } = await admin.ask('POST /volumes', {
      name: 'db',
      option: {},
    })
    expect(status).to.equal(400)
    expect(text).to.contain('option')
    expect(
      (await admin.ask('POST /volumes', { name: '../up' })).status,
    ).to.equal(400)
  })

  it('tells who holds a volume that is not removed, and what to do', async () => {
    await admin.volumes.create('db', {})
    await admin.volumes.mount('db', 'container')
    const { status, body } = await admin.ask('DELETE /volumes/db')
    expect(status).to.equal(409)
    expect(body).to.deep.nested.include({
      'error.code': 'in-use',
      'error.holders': ['container'],
    })
    expect(body).to.have.nested.property('error.hint')
  })
})

/** What the description does not have is as wrong as what it has otherwise. */
function check(schema: z.ZodType, value: unknown, name: string): void {
  const strict = isClosed(schema) ? schema.strict() : schema
  const { success, error } = strict.safeParse(value)
  expect(success, `${name}: ${error?.message}`).to.equal(true)
}

/** Whether an object says all that it may have. */
function isClosed(schema: z.ZodType): schema is z.ZodObject {
  return schema instanceof z.ZodObject && schema.def.catchall === undefined
}
