import { expect } from 'chai'
import { Metrics } from '../../src/operations/metrics.ts'

describe('Metrics', () => {
  it('are told as Prometheus reads them', async () => {
    const metrics = new Metrics()
    const calls = metrics.counter('calls_total', 'Calls')
    calls.add({ name: 'a"b\\c\nd' })
    calls.add({ name: 'a"b\\c\nd' }, 2)
    metrics.gauge('room', 'Room', async () => [{ value: 7 }])
    expect(await metrics.text()).to.equal(
      [
        '# HELP calls_total Calls',
        '# TYPE calls_total counter',
        'calls_total{name="a\\"b\\\\c\\nd"} 3',
        '# HELP room Room',
        '# TYPE room gauge',
        'room 7',
        '',
      ].join('\n'),
    )
  })

  it('count values below each limit, and all of them', async () => {
    const metrics = new Metrics()
    const seconds = metrics.histogram('seconds', 'Seconds')
    for (const value of [0.0005, 0.05, 1000]) seconds.observe(value)
    const text = await metrics.text()
    expect(text).to.contain('seconds_bucket{le="0.001"} 1\n')
    expect(text).to.contain('seconds_bucket{le="0.1"} 2\n')
    expect(text).to.contain('seconds_bucket{le="60"} 2\n')
    expect(text).to.contain('seconds_bucket{le="+Inf"} 3\n')
    expect(text).to.contain('seconds_sum 1000.0505\n')
    expect(text).to.contain('seconds_count 3\n')
  })
})
