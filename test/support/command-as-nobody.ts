import { command } from '../../src/command.ts'
import '../../src/command-settings.ts'
import { NOBODY } from './nobody.ts'

// The command as a user types it who is not root: `command-as-nobody.js VERB …`.
// All of the program is loaded before, for it may lie where only root gets to.
process.setgroups?.([])
process.setgid?.(NOBODY)
process.setuid?.(NOBODY)
process.exit(await command(process.argv.slice(2), 'test'))
