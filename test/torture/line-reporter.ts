import Mocha from 'mocha'

const { EVENT_RUN_END } = Mocha.Runner.constants

/** Leaves the lines to the campaigns, and tells at the end what failed, and the counts. */
class LineReporter extends Mocha.reporters.Base {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    runner.once(EVENT_RUN_END, () => {
      Mocha.reporters.Base.list(this.failures)
      const { passes, failures, pending } = this.stats
      process.stdout.write(
        `${passes} passed, ${failures} failed, ${pending} skipped\n`,
      )
    })
  }
}

// Mocha loads a reporter by its default export, or by what `module.exports` is.
export { LineReporter as default }
