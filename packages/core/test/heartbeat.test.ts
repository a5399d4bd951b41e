import { sleep } from '@stepladder/core'
import { expect, test } from 'vitest'
import type { SupervisorLink } from '../src/link/supervisor-link.ts'
import { startHeartbeat } from '../src/watch/heartbeat.ts'

/** How many heartbeats a supervisor is sent in two seconds, which reads them or not. */
async function sentTo(reads: boolean): Promise<number> {
  let sent = 0
  const link: Pick<SupervisorLink, 'situation' | 'send'> = {
    situation: { drainMs: 1_000, distribution: 'shared' },
    send() {
      sent += 1
      return reads ? Promise.resolve() : new Promise(() => {})
    },
  }
  startHeartbeat(link)
  await sleep(2_000)
  return sent
}

test('what a supervisor does not read, being stopped, does not pile up in its workers', async () => {
  expect(await sentTo(false)).toBe(1)
})

test('control: one that reads hears of them again and again', async () => {
  expect(await sentTo(true)).toBeGreaterThan(1)
})
