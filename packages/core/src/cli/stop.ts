import { chooseSupervisor, pidFlag } from './choose-supervisor.ts'
import type { Command } from './command.ts'
import { ask } from './control-client.ts'
import { noOperands } from './operands.ts'

/** Ends a running cluster without losing a request. */
export const stop: Command = {
  name: 'stop',
  operands: '',
  summary: 'ends a running cluster without losing a request, and waits until it has',
  details: 'SIGTERM to its supervisor does the same.',
  flags: [pidFlag],
  async run(words) {
    noOperands('stepladder stop', words)
    const supervisor = await chooseSupervisor(words)
    await ask(supervisor, { command: 'stop' }, { say: console.log })
    console.log('stopped')
  },
}
