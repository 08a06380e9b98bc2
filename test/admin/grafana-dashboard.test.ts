import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { useAdmin } from '../support/admin.ts'

interface Panel {
  readonly id: number
  readonly title: string
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>
  readonly targets: readonly { readonly expr: string }[]
}

describe('The Grafana dashboard', () => {
  const admin = useAdmin()
  let panels: readonly Panel[]

  beforeEach(async () => {
    const text = await readFile('plugin/grafana-dashboard.json', 'utf8')
    ;({ panels } = JSON.parse(text))
  })

  it('asks for no metric that the daemon does not tell', async () => {
    const { text } = await admin.ask('GET /metrics')
    const told = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
    for (const { title, targets } of panels) {
      for (const { expr } of targets) {
        const asked = expr.match(/\b(?:stowage|process)_\w+/g) ?? []
        expect(asked, title).to.not.equal([])
        for (const name of asked) {
          expect(told, title).to.include(name.replace(/_bucket$/, ''))
        }
      }
    }
  })

  it('has each panel once, and room for it', () => {
    expect(new Set(panels.map(({ id }) => id)).size).to.equal(panels.length)
    for (const { gridPos, title } of panels) {
      expect(gridPos.x + gridPos.w, title).to.be.at.most(24)
    }
  })
})
