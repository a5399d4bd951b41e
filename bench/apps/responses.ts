import type { AddressInfo } from 'node:net'
import { createCache } from '@stepladder/cache'
import { cacheResponse } from '@stepladder/cache/express'
import { systemClock } from '@stepladder/core'
import express, { type RequestHandler } from 'express'

/** About two kilobytes of JSON, as a list of search results has. */
const flights = Array.from({ length: 25 }, (_, id) => ({ id, from: 'SFO', to: 'LAS', at: `2026-01-01T10:${id + 10}` }))
const text = Buffer.from(JSON.stringify(flights))
const constant: RequestHandler = (_request, response) => void response.json(flights)

const cache = createCache({ name: 'bench', ttl: '1h', embedded: true })
// Answers that are all of one length, so that a client may count them by their bytes: `Age` stays where it is.
const clock = { ...systemClock, now: () => 0 }

const app = express()
app.get('/cached/:airport', cacheResponse({ cache, clock, ttl: '1h', tags: ['flights'] }), constant)
app.get('/constant/:airport', constant)
app.get('/bytes/:airport', (_request, response) => void response.type('json').end(text))

const server = app.listen(0, '127.0.0.1', () => {
  console.log(`port ${(server.address() as AddressInfo).port}`) // it listens on TCP
})
// A client rests while the others have their turn.
server.keepAliveTimeout = 60_000
