import { createServer, type Server } from 'node:http'
import { expect } from 'chai'
import express from 'express'
import supertest from 'supertest'
import { messagesFor } from '../../src/protocol/messages.ts'

describe('Requests and responses made for Express', () => {
  const app = express()
  const seen: { before: unknown[]; after: unknown[] } = {
    before: [],
    after: [],
  }
  let server: Server

  before(() => {
    app.use((request, response) => {
      seen.after = [request, response].map(Object.getPrototypeOf)
      response.json({ accepts: request.accepts('json'), query: request.query })
    })
    server = createServer(messagesFor(app), (request, response) => {
      seen.before = [request, response].map(Object.getPrototypeOf)
      app(request, response)
    })
  })
  after(() => server.close())

  it('are left as they were made', async () => {
    await supertest(server).get('/')
    expect(seen.after[0]).to.equal(seen.before[0])
    expect(seen.after[1]).to.equal(seen.before[1])
  })

  it('can do all that Express adds to them', async () => {
    const { body } = await supertest(server).get('/?a=b')
    expect(body).to.deep.equal({ accepts: 'json', query: { a: 'b' } })
  })

  it('know the application that they were made for', async () => {
    await supertest(server).get('/')
    for (const prototype of seen.before) {
      expect(Reflect.get(Object(prototype), 'app')).to.equal(app)
    }
  })
})
