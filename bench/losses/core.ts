import type { Measurement } from '../figure.ts'
import { brokenBuildLost } from './broken-build-lost.ts'
import { hangReplaced } from './hang-replaced.ts'
import { killLost } from './kill-lost.ts'
import { metricsMonotone } from './metrics-monotone.ts'
import { reloadLost } from './reload-lost.ts'

/** What is lost when something goes wrong, ours and the peers': `npm run fault` counts it, `npm run bench` costs. */
export const losses: Readonly<Record<string, Measurement>> = {
  'reload-lost': reloadLost,
  'broken-build-lost': brokenBuildLost,
  'kill-lost': killLost,
  'hang-replaced': hangReplaced,
  'metrics-monotone': metricsMonotone,
}
