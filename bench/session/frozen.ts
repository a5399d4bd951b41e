import { setTimeout as pause } from 'node:timers/promises'
import type { Figure } from '../figure.ts'
import { countFigure } from '../turns.ts'
import { openPlaces } from './places.ts'
import {
  anonymous,
  connectRedis8,
  connectRedis10,
  ourStore,
  ours,
  type SessionServer,
  startServers,
} from './session-server.ts'

const layers = [ours, anonymous, ourStore, connectRedis10, connectRedis8]
const asks = ['/read', '/write', '/end/logout/0', '/login/eve']
const mostRounds = 5

interface Frozen {
  /** The longest that somebody waited; null: who asked never heard. */
  readonly ms: number | null
  /** Requests that changed their session, and were told that all is well. */
  readonly falselyWell: number
}

/** Redis stopped by SIGSTOP: how long the slowest of the requests waits, and which say that they have saved. */
export async function frozen(rounds: number): Promise<Figure[]> {
  await using opened = await openPlaces()
  const shown = new Map(layers.map(({ name }) => [name, [] as Frozen[]]))
  for (let round = 1; round <= Math.min(rounds, mostRounds); round++) {
    await using started = await startServers(layers, opened.places)
    const cookies = await Promise.all(started.servers.map((server) => server.login('ada')))
    await opened.redis.freeze()
    try {
      // Side by side: they wait much more than they compute.
      const waits = await Promise.all(started.servers.map((server, index) => askAll(server, cookies[index]!)))
      for (const [index, { name }] of layers.entries()) shown.get(name)!.push(waits[index]!)
    } finally {
      await opened.redis.thaw()
    }
  }
  const answer = {
    id: 'frozen-answer',
    what: 'the slowest answer while Redis is stopped, to requests that bring a session or begin one',
    aim: '<= 250',
    unit: 'ms',
  }
  const well = {
    id: 'frozen-well',
    what: 'of requests that change a session while Redis is stopped, those that are answered as if it were saved',
    aim: '<= 0',
    unit: 'requests',
  }
  return [
    countFigure(answer, shown, (waits) => slowest(waits.map(({ ms }) => ms))),
    countFigure(well, shown, (waits) => Math.max(...waits.map(({ falselyWell }) => falselyWell))),
  ]
}

async function askAll(server: SessionServer, cookie: string): Promise<Frozen> {
  const asked = asks.map(async (path) => {
    const startedAt = performance.now()
    // A login comes without a cookie, and must say that it failed.
    const answer = await server.ask(path, path.startsWith('/login') ? undefined : cookie)
    await pause(0)
    const isWell = answer !== undefined && answer.status < 400 && path !== '/read'
    return { ms: answer === undefined ? null : performance.now() - startedAt, isWell }
  })
  const answers = await Promise.all(asked)
  return {
    ms: slowest(answers.map(({ ms }) => ms)),
    falselyWell: answers.filter(({ isWell }) => isWell).length,
  }
}

function slowest(waits: readonly (number | null)[]): number | null {
  return waits.reduce((most, ms) => (most === null || ms === null ? null : Math.max(most, ms)), 0)
}
