import { expect } from 'chai'
import { InvalidArgumentError } from '../src/base/errors.ts'
import { readConfig, SETTINGS, strangers } from '../src/config.ts'

describe('readConfig', () => {
  it('has a default for everything', () => {
    const { stores, ...config } = readConfig({})
    expect(stores).to.have.length(1)
    expect(stores[0]).to.include({ name: 'default', kind: 'local', path: '' })
    expect(config).to.deep.equal({
      dataRoot: '/var/lib/stowage',
      socket: '/run/docker/plugins/stowage.sock',
      adminSocket: '/run/stowage/admin.sock',
      implements: ['volume', 'graph'],
      trashTime: 86_400_000,
      trashFree: { percent: 5 },
      graphDriver: 'auto',
      naiveDiff: false,
      scope: 'local',
      metricsPort: 0,
      logLevel: 'info',
      logFormat: 'json',
    })
  })

  it('takes an empty variable for one that is not set', () => {
    const empty = Object.values(SETTINGS).map(({ name }) => [name, ''])
    expect(readConfig(Object.fromEntries(empty))).to.deep.equal(readConfig({}))
  })

  it('reads what is set', () => {
    const config = readConfig({
      STOWAGE_IMPLEMENTS: 'graph, volume',
      STOWAGE_STORES: 'default=local: fast=local:/mnt/fast',
      STOWAGE_GRAPH_DRIVER: 'overlay',
      STOWAGE_NAIVE_DIFF: 'true',
      STOWAGE_SCOPE: 'global',
      STOWAGE_LOG_LEVEL: 'debug',
      STOWAGE_LOG_FORMAT: 'text',
    })
    expect(config).to.deep.include({
      implements: ['volume', 'graph'],
      graphDriver: 'overlay',
      naiveDiff: true,
      scope: 'global',
      logLevel: 'debug',
      logFormat: 'text',
    })
    expect(config.stores.map(({ name }) => name)).to.deep.equal([
      'default',
      'fast',
    ])
  })

  it('takes a socket path of 107 bytes, and none of 108', () => {
    const longest = `/${'x'.repeat(106)}`
    expect(readConfig({ STOWAGE_SOCKET: longest }).socket).to.equal(longest)
    for (const path of [`${longest}x`, `/${'ü'.repeat(54)}`]) {
      expect(() => readConfig({ STOWAGE_SOCKET: path })).to.throw(
        InvalidArgumentError,
        /^STOWAGE_SOCKET=".*" is not valid: give a path of at most 107 bytes/,
      )
    }
  })

  it('says what it accepts', () => {
    expect(() => readConfig({ STOWAGE_LOG_LEVEL: 'loud' })).to.throw(
      'STOWAGE_LOG_LEVEL="loud" is not valid: give one of error, warn, info, debug',
    )
    for (const halves of ['volume,volume', 'network', 'volume,', ',']) {
      expect(() => readConfig({ STOWAGE_IMPLEMENTS: halves })).to.throw(
        'give one or more of volume, graph, each once',
      )
    }
  })
})

describe('strangers', () => {
  it('are variables that only look like settings', () => {
    const env = { STOWAGE_SOCKET: '/s', STOWAGE_STORE: 'x', PATH: '/bin' }
    expect(strangers(env)).to.deep.equal(['STOWAGE_STORE'])
  })
})
