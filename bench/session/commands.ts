import { setTimeout as pause } from 'node:timers/promises'
import { CommandCounter } from '../command-counter.ts'
import type { Figure } from '../figure.ts'
import { median } from '../interleave.ts'
import { openPlaces } from './places.ts'
import {
  connectRedis8,
  connectRedis10,
  type Layer,
  near,
  ourStore,
  ours,
  type Places,
  SessionServer,
} from './session-server.ts'

const layers = [ours, ourStore, connectRedis10, connectRedis8]
const times = 20
const sessionsRead = 10
const readsOfEach = 40
/** By then connections are made, and scripts known. */
const settleMs = 300
/** What an answer leaves to be done later belongs to it. */
const afterMs = 20
/** The near cache proves with it that it hears; one for each process, however much is read. */
const heartbeat = /^(ping|publish)\b/i

const kinds = {
  anonymous: 'request without a cookie',
  read: 'request that reads its session',
  write: 'request that changes its session',
  new: 'request that begins a session',
}
const aims = { anonymous: 0, read: 1, write: 2, new: 1 }
type Kind = keyof typeof kinds

/** The commands that Redis is sent for one request at a time: the median. What scripts do inside is part of them. */
export async function commands(): Promise<Figure[]> {
  await using opened = await openPlaces()
  const counter = await CommandCounter.open(opened.redis.url, heartbeat)
  const shown = new Map<string, Record<Kind, number>>()
  for (const layer of layers) shown.set(layer.name, await commandsOf(layer, opened.places, counter))
  const nearRead = await commandsOfNearReads(opened.places, counter)
  counter.close()
  // The names of the kinds are all the keys there are.
  const figures = (Object.keys(kinds) as Kind[]).map((kind): Figure => {
    const arms = Object.fromEntries([...shown].map(([name, counted]) => [name, counted[kind]]))
    const told = {
      id: `commands-${kind}`,
      what: `Redis commands per ${kinds[kind]}`,
      aim: `<= ${aims[kind]}`,
    }
    return { ...told, value: arms[ours.name]!, unit: 'commands', arms, armsUnit: 'commands', spread: 0 }
  })
  const what = `Redis commands per read with the near cache: ${readsOfEach} of each of ${sessionsRead} sessions`
  const told = { id: 'commands-near', what, aim: '<= 0.1', unit: 'commands', armsUnit: 'commands', spread: 0 }
  return [...figures, { ...told, value: nearRead, arms: { [near.name]: nearRead } }]
}

async function commandsOf(
  layer: Layer,
  places: Places,
  counter: CommandCounter,
): Promise<Record<Kind, number>> {
  await using server = await SessionServer.start(layer, places)
  const cookie = await server.login('ada')
  await server.ask('/write', cookie)
  await pause(settleMs)
  const each = async (path: (time: number) => string, asks?: string) => {
    const counts: number[] = []
    for (let time = 0; time < times; time++) {
      const count = counter.during(async () => {
        await server.ask(path(time), asks)
        await pause(afterMs)
      })
      counts.push(await count)
    }
    return median(counts)
  }
  return {
    anonymous: await each(() => '/read'),
    read: await each(() => '/read', cookie),
    write: await each(() => '/write', cookie),
    new: await each((time) => `/login/user${time}`),
  }
}

async function commandsOfNearReads(places: Places, counter: CommandCounter): Promise<number> {
  // Another process has begun them: this one must read each once.
  await using first = await SessionServer.start(ours, places)
  const cookies = await Promise.all(
    Array.from({ length: sessionsRead }, (_, user) => first.login(`near${user}`)),
  )
  await using server = await SessionServer.start(near, places)
  await pause(settleMs)
  const count = await counter.during(async () => {
    for (let time = 0; time < readsOfEach; time++) {
      for (const cookie of cookies) await server.ask('/read', cookie)
    }
  })
  return count / (readsOfEach * sessionsRead)
}
