import { type Clock, systemClock } from '../clock.ts'
import type { SupervisorLink } from '../link/supervisor-link.ts'
import type { Readiness, ReadinessReport } from './readiness.ts'

/** How long until the supervisor hears the next look, in milliseconds: soon while it waits for this worker. */
const whileFailingMs = 1_000
const whileReadyMs = 5_000

/**
 * Tells the supervisor what the checks of this worker say, from the first one on, and hears from it that the whole
 * fleet is to go. A worker without checks says nothing: it is ready when it listens.
 */
export function linkReadiness(link: SupervisorLink, readiness: Readiness, clock: Clock = systemClock): void {
  link.listen((message) => {
    if (message.stepladder === 'stopping') readiness.isStopping = true
  })
  let round = 0
  const look = async (mine: number) => {
    const failing = failingOf(await readiness.look())
    // Checks have come or gone meanwhile: a look at those follows.
    if (mine !== round) return
    link.send({ stepladder: 'readiness', failing })
    const pauseMs = failing.length > 0 ? whileFailingMs : whileReadyMs
    clock.after(pauseMs, () => void (mine === round && look(mine))).unref()
  }
  const lookAnew = () => {
    const mine = ++round
    // The module that adds a check may not have run to its end, and more may come.
    clock.after(0, () => void (mine === round && look(mine))).unref()
  }
  const pending = (names: readonly string[]) =>
    link.send({ stepladder: 'readiness', failing: names.map((check) => ({ check, reason: undefined })) })

  readiness.onChange((added) => {
    // At once, before this worker says that it listens: nobody is to take it for ready until it was asked.
    if (added !== undefined) pending([added])
    lookAnew()
  })
  if (readiness.checkNames.length === 0) return
  pending(readiness.checkNames)
  lookAnew()
}

function failingOf({ checks }: ReadinessReport): { check: string; reason: string }[] {
  return [...checks].flatMap(([check, result]) =>
    result.status === 'failing' ? [{ check, reason: result.reason }] : [],
  )
}
