import { FakeClock } from '@stepladder/core/testing'
import { describe, expect, test } from 'vitest'
import { MessageHub } from '../src/channel/message-hub.ts'
import type { ToWorker } from '../src/link/messages.ts'

type Delivered = Extract<ToWorker, { stepladder: 'deliver' }>

class FakeMember {
  readonly received: ToWorker[] = []
  readonly #hub: MessageHub
  #lastId = 0

  constructor(hub: MessageHub) {
    this.#hub = hub
    hub.join(this)
  }

  send(message: ToWorker): void {
    this.received.push(message)
  }

  open(channel: string): this {
    this.#hub.hear(this, { stepladder: 'opened', channel })
    return this
  }

  broadcast(text: string, channel = 'news'): number {
    const id = ++this.#lastId
    this.#hub.hear(this, { stepladder: 'broadcast', id, channel, text })
    return id
  }

  handle({ id }: Delivered): void {
    this.#hub.hear(this, { stepladder: 'handled', id })
  }

  get deliveries(): Delivered[] {
    return this.received.filter((message) => message.stepladder === 'deliver')
  }

  get texts(): (string | undefined)[] {
    return this.deliveries.map(({ text }) => text)
  }

  /** Of its broadcasts, the numbers of those that it was told are delivered. */
  get delivered(): number[] {
    return this.received.flatMap((message) => (message.stepladder === 'delivered' ? [message.id] : []))
  }

  get missed(): (readonly string[])[] {
    return this.received.flatMap((message) => (message.stepladder === 'missed' ? [message.channels] : []))
  }
}

function setUp() {
  const clock = new FakeClock()
  const hub = new MessageHub(clock)
  const join = (...channels: string[]) => {
    const member = new FakeMember(hub)
    for (const channel of channels) member.open(channel)
    return member
  }
  return { clock, hub, join }
}

describe('a sender hears that its broadcast is delivered', () => {
  test('when every other worker has handled it, and not before', () => {
    const { join } = setUp()
    const [sender, one, two] = [join('news'), join('news'), join('news')]
    const id = sender.broadcast('hello')
    expect([one.texts, two.texts, sender.texts]).toEqual([['hello'], ['hello'], []])

    one.handle(one.deliveries[0]!)
    one.handle(one.deliveries[0]!) // twice is once
    expect(sender.delivered).toEqual([])
    two.handle(two.deliveries[0]!)
    expect(sender.delivered).toEqual([id])
  })

  test('each of several when its own is handled, whatever the order', () => {
    const { join } = setUp()
    const [sender, other] = [join('news'), join('news')]
    const ids = ['a', 'b', 'c'].map((text) => sender.broadcast(text))
    expect(other.texts).toEqual(['a', 'b', 'c'])
    for (const delivery of other.deliveries.toReversed()) other.handle(delivery)
    expect(sender.delivered).toEqual(ids.toReversed())
  })

  test('at once where nobody else has opened the channel; who is just opening it gets the message all the same', () => {
    const { join } = setUp()
    const [sender, elsewhere] = [join('news'), join('weather')]
    const id = sender.broadcast('hello')
    expect(sender.delivered).toEqual([id])
    expect(elsewhere.texts).toEqual(['hello'])
  })

  test('without a worker that is gone', () => {
    const { hub, join } = setUp()
    const [sender, dying] = [join('news'), join('news')]
    const id = sender.broadcast('hello')
    hub.leave(dying)
    expect(sender.delivered).toEqual([id])
    dying.broadcast('from beyond')
    expect(sender.texts).toEqual([])
  })
})

describe('a worker that hangs', () => {
  test('holds a broadcast up for one second, and what comes after it not at all', async () => {
    const { clock, join } = setUp()
    const [sender, hanging] = [join('news'), join('news')]
    const first = sender.broadcast('hello')
    await clock.advance(999)
    expect(sender.delivered).toEqual([])
    await clock.advance(1)
    expect(sender.delivered).toEqual([first])

    const second = sender.broadcast('are you there?')
    expect(sender.delivered).toEqual([first, second])
    expect(hanging.texts).toEqual(['hello', 'are you there?'])
  })

  test('is waited for again once it has handled what it had', async () => {
    const { clock, join } = setUp()
    const [sender, other] = [join('news'), join('news')]
    sender.broadcast('hello')
    await clock.advance(5_000)
    other.handle(other.deliveries[0]!)
    const next = sender.broadcast('there you are')
    expect(sender.delivered).not.toContain(next)
    other.handle(other.deliveries[1]!)
    expect(sender.delivered).toContain(next)
  })

  test.each([
    { what: 'many short messages', text: 'x', atMost: 1_001 },
    { what: 'few long messages', text: 'x'.repeat(2 ** 20), atMost: 9 },
  ])('is sent no more than it may leave unhandled: $what', async ({ text, atMost }) => {
    const { clock, join } = setUp()
    const [sender, hanging, well] = [join('news'), join('news'), join('news')]
    sender.broadcast('hello')
    await clock.advance(1_000)
    for (let n = 0; n < 3_000; n++) {
      sender.broadcast(text)
      well.handle(well.deliveries.at(-1)!)
    }
    expect(hanging.texts.length).toBeLessThanOrEqual(atMost)
    expect(well.texts).toHaveLength(3_001)
  })

  test('is told which channels it missed something of, after all that it did not miss, and only once', async () => {
    const { clock, join } = setUp()
    const [sender, other] = [join('news', 'weather'), join('news', 'weather', 'sports')]
    sender.broadcast('hello')
    await clock.advance(1_000)
    for (let n = 0; n < 2_000; n++) sender.broadcast(String(n), n % 2 === 0 ? 'news' : 'weather')
    expect(other.missed).toEqual([])

    for (const delivery of other.deliveries) other.handle(delivery)
    expect(other.missed.map((channels) => channels.toSorted())).toEqual([['news', 'weather']])
    expect(other.received.at(-1)).toMatchObject({ stepladder: 'missed' })
    sender.broadcast('news again')
    other.handle(other.deliveries.at(-1)!)
    expect(other.texts.at(-1)).toBe('news again')
    expect(other.missed).toHaveLength(1)
  })
})

test('a worker that is slow but answers misses nothing, however much is on its way', async () => {
  const { clock, join } = setUp()
  const [sender, slow] = [join('news'), join('news')]
  for (let n = 0; n < 2_000; n++) {
    sender.broadcast(String(n))
    await clock.advance(1)
    if (n >= 700) slow.handle(slow.deliveries[n - 700]!)
  }
  expect(slow.texts).toHaveLength(2_000)
  expect(slow.missed).toEqual([])
})
