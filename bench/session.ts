import type { Bench } from './figure.ts'
import { commands } from './session/commands.ts'
import { cpu } from './session/cpu.ts'
import { frozen } from './session/frozen.ts'

/** What sessions cost, beside their peers. What they lose and what comes back, `npm run fault -- session` counts. */
export const bench: Bench = {
  name: 'session',
  groups: { cpu, commands, 'frozen-answer': frozen },
}
