import Mocha from 'mocha'

const { EVENT_RUN_END } = Mocha.Runner.constants

/** Mocha's spec report, and alone on the last line the counts, which CI reads. */
class Reporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    runner.once(EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats
      process.stdout.write(
        `${passes} passed, ${failures} failed, ${pending} skipped\n`,
      )
    })
  }
}

// Mocha loads a reporter by its default export, or by what `module.exports` is.
export { Reporter as default }
