/**
 * Run as a process of its own: when told on which line to begin by a `get`, logs the user in so often at once. Prints
 * the cookies.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { createSessions, KyselySessionBackend, RedisSessionBackend } from '@stepladder/session'
import { postgresDatabase } from '../postgres-database.ts'
import { sqliteDatabase } from '../sqlite-database.ts'
import { checkThenAct } from './around-calls.ts'

const [, , kind = '', place = '', prefix = '', most = '', logins = '', beginAt = '', arm = ''] = process.argv

function open() {
  if (kind === 'redis') return new RedisSessionBackend({ redis: place, prefix, commandTimeoutMs: 10_000 })
  const database = kind === 'postgres' ? postgresDatabase(place) : sqliteDatabase(place)
  return new KyselySessionBackend({ database, prefix })
}

const backend = arm === 'check-then-act' ? checkThenAct(open()) : open()
const sessions = createSessions<{ user: string }>({
  ...{ backend, secret: 'for tests only', timeout: '10s' },
  userOf: ({ user }) => user,
  maxPerUser: Number(most),
})

async function login(): Promise<string> {
  const session = await sessions.load(undefined)
  session.user = 'ada'
  return (await sessions.commit(session))!.split(';')[0]!
}

async function logInOften(): Promise<void> {
  await backend.length() // connects, and makes the tables
  await pause(Math.max(0, Number(beginAt) - Date.now()))
  const ends = await Promise.allSettled(Array.from({ length: Number(logins) }, login))
  const cookies = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
  const failures = ends.flatMap((end) => (end.status === 'rejected' ? [String(end.reason.code)] : []))
  console.log(`ended ${JSON.stringify({ cookies, failures })}.`)
  process.exit()
}

void logInOften()
