import { cpuCosts } from './costs/cpu.ts'
import { replaceTime } from './costs/replace-time.ts'
import { scaling } from './costs/scaling.ts'
import type { Bench } from './figure.ts'
import { usePublishedForm } from './peers/published-form.ts'

/** What the cluster costs. What is lost when something goes wrong, `npm run fault -- core` counts. */
export const bench: Bench = {
  name: 'core',
  async run(rounds) {
    await usePublishedForm()
    return [...(await cpuCosts(rounds)), ...(await replaceTime(rounds)), ...(await scaling(rounds))]
  },
}
