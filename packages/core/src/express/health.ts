import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerHealth, type ReadyAnswer } from '../health/health-answer.ts'
import { processReadiness } from '../health/readiness.ts'
import type { CheckResult } from '../health/readiness-check.ts'

/** Express middleware, and as good for plain `node:http`: what is no probe goes to `next`. */
export type HealthHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (failure?: unknown) => void,
) => void

/**
 * Answers `GET` and `HEAD /livez` and `/readyz` for the worker that is asked. Put it first:
 * `app.use(health())`, or without Express `createServer((request, response) => probes(request, response, () => app(request, response)))`.
 * `/livez` is 200 while the event loop runs. `/readyz` is 200 while the checks of `readyWhen` pass, and 503 while one
 * fails and from the moment at which the fleet is told to stop (not while a reload replaces this worker: its successor
 * serves behind the same port). The body names each check and whether it passes; `?verbose` adds how long
 * it took and the code of its error, never its message, which may hold secrets.
 */
export function health(): HealthHandler {
  return (request, response, next) => {
    if (!answerHealth(request, response, look)) next()
  }
}

async function look(isVerbose: boolean): Promise<ReadyAnswer & { checks: object }> {
  const { status, checks } = await processReadiness().look()
  const shown = [...checks].map(([name, result]) => [name, isVerbose ? details(result) : result.status])
  return { status, checks: Object.fromEntries(shown) }
}

function details(result: CheckResult): object {
  const ms = Math.round(result.ms)
  return result.status === 'ok' ? { status: 'ok', ms } : { status: 'failing', ms, code: result.code }
}
