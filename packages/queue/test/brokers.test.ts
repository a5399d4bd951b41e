import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ignoreReports } from '@stepladder/core'
import { keyPrefix, sharedRedis } from '@stepladder/core/testing'
import { BullmqBroker, JournalBroker, MemoryBroker, testBroker } from '@stepladder/queue/testing'
import { onTestFinished, test } from 'vitest'

testBroker(
  'MemoryBroker',
  async () => {
    const waiting: ConstructorParameters<typeof MemoryBroker>[0] = []
    return { open: () => new MemoryBroker(waiting) }
  },
  { test },
)

testBroker(
  'JournalBroker',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'stepladder-queue-'))
    onTestFinished(() => rm(directory, { recursive: true, force: true }))
    return { open: () => new JournalBroker({ name: 'events', directory, report: ignoreReports }) }
  },
  { test },
)

testBroker(
  'BullmqBroker',
  async () => {
    const { url } = await sharedRedis()
    const name = keyPrefix('events')
    return { open: () => new BullmqBroker({ name, redis: url, report: ignoreReports }) }
  },
  { test },
)
