/** Run as a process of its own: logs a user in, and is killed before its call to the store of that number. */
import { createSessions, RedisSessionBackend } from '@stepladder/session'
import { aroundCalls } from './around-calls.ts'

const [, , url = '', prefix = '', at = ''] = process.argv
let calls = 0
const backend = aroundCalls(new RedisSessionBackend({ redis: url, prefix }), async (_name, call) => {
  if (calls++ >= Number(at)) process.kill(process.pid, 'SIGKILL')
  return call()
})
const sessions = createSessions<{ user: string }>({
  ...{ backend, secret: 'for tests only', timeout: '5s' },
  userOf: ({ user }) => user,
  maxPerUser: 2,
})

async function login(): Promise<void> {
  const session = await sessions.load(undefined)
  session.user = 'ada'
  await sessions.commit(session)
  console.log('logged in')
  process.exit()
}

void login()
