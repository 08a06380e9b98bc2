/** A plugin while it runs. */
export interface Plugin {
  /**
   * Settles when all that is served is open. Docker's calls are taken from the
   * start, and wait for the half of the plugin that they are meant for.
   */
  readonly opened: Promise<unknown>

  /**
   * Finishes what is in progress and lets go of the disk. What is mounted stays
   * mounted: containers do not notice a restart.
   */
  stop(): Promise<void>
}
