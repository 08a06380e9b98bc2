import Mocha from 'mocha'
import { missing } from '../../src/conformance/capabilities.ts'

const { EVENT_RUN_END } = Mocha.Runner.constants

/**
 * Mocha's spec report, then what was skipped for want of what, and alone on the
 * last line the counts, which CI reads.
 */
class Reporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    runner.once(EVENT_RUN_END, () => {
      for (const [capability, reason] of missing()) {
        process.stdout.write(`Skipped what needs ${capability}: ${reason}\n`)
      }
      const { passes, failures, pending } = this.stats
      process.stdout.write(
        `${passes} passed, ${failures} failed, ${pending} skipped\n`,
      )
    })
  }
}

// Mocha loads a reporter by its default export, or by what `module.exports` is.
export { Reporter as default }
