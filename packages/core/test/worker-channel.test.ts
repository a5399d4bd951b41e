import { openWorkerChannel } from '@stepladder/core'
import { FakeClock } from '@stepladder/core/testing'
import { expect, test, vi } from 'vitest'
import type { ToWorker } from '../src/cluster/messages.ts'
import { MessageHub } from '../src/supervisor/message-hub.ts'
import { startCluster } from './running-cluster.ts'

function member() {
  const received: ToWorker[] = []
  return { received, send: (message: ToWorker) => void received.push(message) }
}

test('a post reaches every other worker before it resolves', async () => {
  await using cluster = await startCluster({ app: 'channel-app.cjs', workers: 3 })
  await cluster.workerPids(3)
  const { pid: sender, ms } = await cluster.json<{ pid: number; ms: number }>('/post/hello')
  expect(ms).toBeLessThan(900)

  const heard = new Map<number, string[]>()
  await vi.waitFor(async () => {
    const answer = await cluster.json<{ pid: number; heard: string[] }>('/heard')
    heard.set(answer.pid, answer.heard)
    expect(heard.size).toBe(3)
  })
  for (const [pid, messages] of heard) expect(messages).toEqual(pid === sender ? [] : ['hello'])
})

test('a process without a supervisor is alone, and a post resolves at once', async () => {
  const channel = openWorkerChannel('news', () => expect.fail('nobody can have spoken'))
  await channel.post('hello')
  await channel.close()
})

test('a message that is no JSON is refused, and harms nobody', async () => {
  await using cluster = await startCluster({ app: 'channel-app.cjs' })
  const { refused } = await cluster.json<{ refused: string }>('/post-bigint')
  expect(refused).toMatch(/BigInt/)
  expect(await cluster.workerPids(2)).toHaveLength(2)
})

test('a worker that hangs holds a post up for one second, one that dies for no longer than it lived', async () => {
  const clock = new FakeClock()
  const hub = new MessageHub(clock)
  const [sender, hanging, dying] = [member(), member(), member()]
  for (const each of [sender, hanging, dying]) hub.join(each)

  hub.hear(sender, { stepladder: 'post', id: 7, channel: 'news', message: 'hello' })
  expect(hanging.received).toMatchObject([{ stepladder: 'deliver', channel: 'news', message: 'hello' }])
  hub.leave(dying)
  await clock.advance(999)
  expect(sender.received).toEqual([])
  await clock.advance(1)
  expect(sender.received).toEqual([{ stepladder: 'posted', id: 7 }])
})
