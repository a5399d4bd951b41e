import { seededRandom } from '@stepladder/core/testing'
import type { Figure, Measurement } from '../figure.ts'
import { openPlaces } from '../session/places.ts'
import {
  connectPgSimple,
  connectRedis8,
  connectRedis10,
  type Layer,
  memoryStore,
  ourStore,
  ours,
  type Places,
  type SessionServer,
  startServers,
} from '../session/session-server.ts'
import { countFigure, inTurns } from '../turns.ts'

const layers = [ours, ourStore, connectRedis10, connectRedis8, connectPgSimple, memoryStore]
const requests = 200
const races = 50

/** What sessions lose, and what comes back, ours and the peers': `npm run fault` counts it. */
export const losses: Readonly<Record<string, Measurement>> = { 'fields-kept': fieldsKept, resurrections }

/** 200 requests at once, over four processes, each of which sets another field: the fewest that any round kept. */
async function fieldsKept(rounds: number): Promise<Figure[]> {
  return withServers(async (serversOf) => {
    const turns = await inTurns(layers, rounds, async (layer, round) => {
      const servers = serversOf(layer)
      const cookie = await servers[0]!.login(`user${round}`)
      const asked = Array.from({ length: requests }, (_, field) =>
        servers[field % servers.length]!.ask(`/field/n${field}`, cookie),
      )
      await Promise.all(asked)
      const shown = await servers[0]!.ask('/show', cookie)
      return Object.keys(JSON.parse(shown?.body || '{}')).filter((name) => /^n\d+$/.test(name)).length
    })
    const what = `fields kept of ${requests} that as many requests set at once over four processes, in the worst round`
    const told = { id: 'fields-kept', what, aim: `>= ${requests}`, unit: 'fields' }
    return [countFigure(told, turns, (kept) => Math.min(...kept))]
  })
}

/** Sessions that end while other requests save and read them: how many the old cookie opens again, over all rounds. */
async function resurrections(rounds: number): Promise<Figure[]> {
  return withServers(async (serversOf) => {
    const turns = await inTurns(layers, rounds, async (layer, round) => {
      const servers = serversOf(layer)
      const raced = Array.from({ length: races }, (_, race) => isRevived(servers, round * 1_000 + race))
      return (await Promise.all(raced)).filter(Boolean).length
    })
    const what = `sessions that came back, of ${races * rounds} that were logged out or regenerated while others saved them`
    const told = { id: 'resurrections', what, aim: '<= 0', unit: 'sessions' }
    return [countFigure(told, turns, (revived) => revived.reduce((sum, count) => sum + count, 0))]
  })
}

async function isRevived(servers: readonly SessionServer[], seed: number): Promise<boolean> {
  const random = seededRandom(seed)
  const anyServer = () => servers[Math.floor(random() * servers.length)]!
  const ms = () => Math.floor(random() * 30)
  const cookie = await anyServer().login(`user${seed}`)
  const how = seed % 2 === 0 ? 'logout' : 'regenerate'
  await Promise.all([
    anyServer().ask(`/late/${ms()}?write=1`, cookie),
    anyServer().ask(`/end/${how}/${ms()}`, cookie),
    anyServer().ask(`/late/${ms()}?write=1`, cookie),
    anyServer().ask(`/late/${ms()}`, cookie),
    anyServer().ask(`/late/${ms()}?write=1`, cookie),
  ])
  const shown = await anyServer().ask('/show', cookie)
  return shown?.body.includes(`user${seed}`) ?? false
}

/** Four processes of each layer; MemoryStore, which they could not share, gets one. */
async function withServers(
  task: (serversOf: (layer: Layer) => readonly SessionServer[]) => Promise<Figure[]>,
) {
  await using opened = await openPlaces()
  await using stack = new AsyncDisposableStack()
  const started = new Map<Layer, readonly SessionServer[]>()
  for (const layer of layers) started.set(layer, await startFour(layer, opened.places, stack))
  return await task((layer) => started.get(layer)!)
}

async function startFour(layer: Layer, places: Places, stack: AsyncDisposableStack) {
  const layers = Array<Layer>(layer === memoryStore ? 1 : 4).fill(layer)
  return stack.use(await startServers(layers, places)).servers
}
