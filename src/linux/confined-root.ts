/**
 * A directory that is all there is: nothing reached through it lies outside,
 * whatever symbolic links and `..` the tree holds. They are followed as a process
 * would follow them whose root it is.
 *
 * The kernel resolves, never we: see `own-root.ts` and `in-root.ts` for the two
 * ways. One works in it as in a shell: {@link enter} a directory, then do things
 * to single names in it, with calls that do not follow a link in the last
 * component. All calls are synchronous, for one thread.
 */
export interface ConfinedRoot extends Disposable {
  /** The bits that files made here lack, whatever their mode says. */
  readonly umask: number

  /**
   * Makes a directory the one that {@link at} is about. `path` starts at the root,
   * and may hold links and `..`.
   *
   * @throws the system's error: ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG.
   */
  enter(path: string): void

  /** Where one really is: the path of the directory entered last, without links. */
  here(): string

  /** `name` in the directory entered last, as system calls take it. */
  at(name: string): string

  /** Calls `use` with the path, for system calls, of `name` in another directory. */
  reach(directory: string, name: string, use: (path: string) => void): void
}
