import { PassThrough } from 'node:stream'
import { expect } from 'chai'
import { NotFoundError } from '../src/base/errors.ts'
import { withRequestId } from '../src/base/request-id.ts'
import { type LogFormat, Logger, type LogLevel } from '../src/logger.ts'

describe('Logger', () => {
  let stream: PassThrough

  function open(level: LogLevel = 'info', format: LogFormat = 'json'): Logger {
    stream = new PassThrough()
    return Logger.open({ level, format, stream })
  }
  const lines = (): string[] =>
    String(stream.read() ?? '')
      .split('\n')
      .filter(Boolean)
  const parsed = () => lines().map((line) => JSON.parse(line))

  it('writes a line of JSON for each message, with its time', () => {
    open().info('Layers opened', { driver: 'vfs', count: 7n })
    const [{ time, ...line }] = parsed()
    expect(line).to.deep.equal({
      level: 'info',
      message: 'Layers opened',
      driver: 'vfs',
      count: '7',
    })
    expect(new Date(time).toISOString()).to.equal(time)
  })

  it('writes a line of text where that is wanted', () => {
    open('info', 'text').warn('Lease lost', { path: '/a b' })
    expect(lines()).to.have.length(1)
    open('info', 'text').warn('Lease lost', { path: '/a b' })
    expect(lines()[0]).to.match(/^\S+Z warn Lease lost path="\/a b"$/)
  })

  it('names the request that a line was written for', async () => {
    const log = open().child({ component: 'graph' })
    await withRequestId('ab12', async () => {
      await Promise.resolve()
      log.info('Layer removed')
    })
    log.info('Idle')
    expect(parsed().map(({ request }) => request)).to.deep.equal([
      'ab12',
      undefined,
    ])
  })

  it('adds the fields of all its parents', () => {
    const log = open()
      .child({ component: 'volume' })
      .child({ store: 'default' })
    log.info('Online', { names: 3 })
    expect(parsed()[0]).to.include({
      component: 'volume',
      store: 'default',
      names: 3,
    })
  })

  it('lets no field stand for the level or the message', () => {
    open().info('Level changed', { level: 'debug', message: 'no', time: 0 })
    const [line] = parsed()
    expect(line).to.include({ level: 'info', message: 'Level changed' })
  })

  it('leaves out what is below its level, which may change at any time', () => {
    const log = open('warn')
    const child = log.child({})
    child.info('one')
    log.level = 'debug'
    child.debug('two')
    log.level = 'error'
    child.warn('three')
    child.error('four')
    expect(parsed().map(({ message }) => message)).to.deep.equal([
      'two',
      'four',
    ])
  })

  it('tells an error with its cause, and where ours come from only for others', () => {
    const log = open()
    const cause = Object.assign(new Error('No entry'), { code: 'ENOENT' })
    log.info('Refused', { error: new NotFoundError('No layer', { cause }) })
    const [{ error }] = parsed()
    expect(error).to.have.keys('name', 'message', 'cause')
    expect(error).to.include({ name: 'NotFoundError', message: 'No layer' })
    expect(error.cause).to.include({ message: 'No entry', code: 'ENOENT' })
    expect(error.cause.stack).to.match(/logger\.test/)
  })
})
