import { randomUUID } from 'node:crypto'
import { redisClient } from './redis-client.ts'

interface Message {
  readonly id: string
  readonly data: unknown
}
interface Handler {
  readonly handler: (message: Message & { readonly providerId: string }) => Promise<void>
}

/** What the package `@qified/redis` is to cacheable: one connection that publishes and one that listens. */
export function pubSubProvider(url: string) {
  const id = randomUUID()
  const [publisher, subscriber] = [redisClient(url), redisClient(url)]
  const subscriptions = new Map<string, Handler[]>()
  subscriber.on('message', (topic, text) => {
    for (const { handler } of subscriptions.get(topic) ?? []) void handler(JSON.parse(text))
  })
  return {
    id,
    subscriptions,
    async publish(topic: string, message: Message): Promise<void> {
      await publisher.publish(topic, JSON.stringify({ ...message, providerId: id }))
    },
    async subscribe(topic: string, handler: Handler): Promise<void> {
      subscriptions.set(topic, [...(subscriptions.get(topic) ?? []), handler])
      // Whoever closes before it listens is told by nobody else.
      await subscriber.subscribe(topic).catch(() => {})
    },
    async unsubscribe(topic: string): Promise<void> {
      subscriptions.delete(topic)
      await subscriber.unsubscribe(topic)
    },
    async disconnect(): Promise<void> {
      publisher.disconnect()
      subscriber.disconnect()
    },
  }
}
