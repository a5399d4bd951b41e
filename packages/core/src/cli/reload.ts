import { chooseSupervisor, pidFlag } from './choose-supervisor.ts'
import type { Command } from './command.ts'
import { ask } from './control-client.ts'
import { noOperands } from './operands.ts'

/** Rolls a running cluster over to the build that lies on disk now. */
export const reload: Command = {
  name: 'reload',
  operands: '',
  summary: 'rolls a running cluster over to a new build, and waits until it has',
  details:
    'A build that does not come up\nends it with code 1 and the reason, and the old one goes on serving.',
  flags: [pidFlag],
  async run(words) {
    noOperands('stepladder reload', words)
    const supervisor = await chooseSupervisor(words)
    await ask(supervisor, { command: 'reload' }, { say: console.log })
    console.log('reloaded')
  },
}
