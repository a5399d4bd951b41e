// What keeps the sessions, by the names that the bench knows. REDIS and POSTGRES are the servers' URLs.
const { REDIS, POSTGRES } = process.env
const secret = 'for the bench'
const cookie = { secure: false }

exports.layers = {
  none: async () => undefined,
  bare: bareGet,
  ours: async () => ours(),
  near: async () => ours({ nearCache: true }),
  anonymous: async () => ours({ onOutage: 'anonymous' }),
  store: async () => underExpressSession(require('@stepladder/session').sessionStore({ redis: REDIS })),
  memory: async () => underExpressSession(undefined),
  'connect-redis 10': connectRedis10,
  'connect-redis 8.1': connectRedis8,
  'connect-pg-simple': connectPgSimple,
}

function ours(options) {
  const { sessions } = require('@stepladder/session/express')
  return sessions({ redis: REDIS, secret, cookie, ...options })
}

function underExpressSession(store) {
  const session = require('express-session')
  return session({ secret, resave: false, saveUninitialized: false, cookie, store })
}

// What any session in Redis costs at least: one GET, and its JSON.
async function bareGet() {
  const redis = await ioredis()
  await redis.set('bare:session', JSON.stringify({ user: 'ada', cart: { 17: 2, 4711: 1 }, seen: 'x'.repeat(300) }))
  return (request, _response, next) => {
    if (request.headers.cookie === undefined) return next()
    redis.get('bare:session').then((text) => {
      request.session = JSON.parse(text)
      next()
    }, next)
  }
}

async function connectRedis10() {
  const { RedisStore } = require('connect-redis')
  const client = require('redis').createClient({ url: REDIS })
  client.on('error', () => {})
  await client.connect()
  return underExpressSession(new RedisStore({ client, prefix: 'cr10:' }))
}

async function connectRedis8() {
  const { RedisStore } = require('connect-redis-8')
  return underExpressSession(new RedisStore({ client: await ioredis(), prefix: 'cr8:' }))
}

// Each of its peers gets the faster way: without auto-pipelining every command is a system call of its own.
async function ioredis() {
  const { Redis } = require('ioredis')
  const redis = new Redis(REDIS, { enableAutoPipelining: true })
  redis.on('error', () => {})
  return redis
}

async function connectPgSimple() {
  const PgStore = require('connect-pg-simple')(require('express-session'))
  const { Pool } = require('pg')
  const pool = new Pool({ connectionString: POSTGRES })
  return underExpressSession(new PgStore({ pool, createTableIfMissing: true, pruneSessionInterval: false }))
}
