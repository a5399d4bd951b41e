import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { FakeClock, freePort, outage, spawnNode, startTcpProxy } from '@stepladder/core/testing'
import { expect, onTestFinished, test } from 'vitest'

test('a proxy carries what is said both ways, counts connections, and has a URL', async () => {
  const { proxy, dial } = await echoBehindProxy()
  const [one, two] = [await dial(), await dial()]

  expect(await one.say('hello')).toBe('hello')
  expect(await two.say('hallo')).toBe('hallo')
  expect(proxy).toMatchObject({ connections: 2, accepted: 2 })
  expect(proxy.url('redis')).toBe(`redis://127.0.0.1:${proxy.port}`)

  one.socket.end()
  await once(one.socket, 'close')
  await expect.poll(() => proxy.connections).toBe(1)
  expect(proxy.accepted).toBe(2)
})

test('`cut` resets what is open; a new connection is served', async () => {
  const { proxy, dial } = await echoBehindProxy()
  const { failure } = await dial()

  proxy.cut()

  expect((await failure).code).toBe('ECONNRESET')
  expect(await (await dial()).say('again')).toBe('again')
})

test('a process that cuts a connection while it ends comes to its own end', async () => {
  const file = fileURLToPath(new URL('fixtures/cut-while-ending.ts', import.meta.url))
  await using cutting = spawnNode(file)

  await cutting.waitForOutput(/closed/)

  expect(await cutting.exited).toMatchObject({ code: 0 })
})

test('`refuse` turns new connections away and leaves open ones alone, until `accept`', async () => {
  const { proxy, dial } = await echoBehindProxy()
  const open = await dial()

  proxy.refuse()
  await expect(dial()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  expect(await open.say('still here')).toBe('still here')

  await proxy.accept()
  expect(await (await dial()).say('welcome')).toBe('welcome')
})

test('`delay` holds every byte for its time, in each direction, and keeps their order', async () => {
  const { proxy, dial } = await echoBehindProxy()
  const { say, socket } = await dial()
  const before = performance.now()
  await say('fast')
  expect(performance.now() - before).toBeLessThan(90)

  proxy.delay(50)
  const start = performance.now()
  expect(await say('slow')).toBe('slow')
  expect(performance.now() - start).toBeGreaterThanOrEqual(99)

  socket.write('one ')
  await new Promise((resolve) => setTimeout(resolve, 10))
  proxy.delay(0)
  expect(await say('two', 'one two'.length)).toBe('one two')
})

test('`blackhole` takes all and hands on nothing, for new connections too; `heal` lets it arrive', async () => {
  const { proxy, dial } = await echoBehindProxy()
  const open = await dial()

  proxy.blackhole()
  const answers = [open.say('lost?'), (await dial()).say('me too')]
  expect(await Promise.race([...answers, later(100, 'nothing')])).toBe('nothing')

  await proxy.heal()
  expect(await Promise.all(answers)).toEqual(['lost?', 'me too'])
})

test('`heal` ends every fault; `close` ends everything', async () => {
  const { proxy, dial } = await echoBehindProxy()
  proxy.delay(10_000)
  proxy.blackhole()
  proxy.refuse()

  await proxy.heal()
  const { say, failure } = await dial()
  expect(await say('well')).toBe('well')

  await proxy.close()
  expect((await failure).code).toBe('ECONNRESET')
  await expect(dial()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('behind a server that is down, the client is reset', async () => {
  await using proxy = await startTcpProxy({ port: await freePort() })
  const socket = connect(proxy.port, '127.0.0.1')
  const [failure] = await once(socket, 'error')
  expect(failure).toMatchObject({ code: 'ECONNRESET' })
})

test('free ports lie where no outgoing connection can take them', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()))
  expect(Math.min(...ports)).toBeGreaterThanOrEqual(10_000)
  expect(Math.max(...ports)).toBeLessThan(22_000)
})

test('an outage refuses every call with an error of one`s choice, until it recovers', async () => {
  const names = new Names()
  const { port, refuse, recover } = outage(names)
  expect(await port.get('ada')).toBe('Ada')

  refuse()
  await expect(port.get('ada')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  refuse(new Error('READONLY'))
  await expect(port.get('ada')).rejects.toThrow('READONLY')
  expect(names.calls).toBe(1)

  recover()
  expect(await port.get('ada')).toBe('Ada')
})

test('calls into a hanging outage wait, and go through when it recovers', async () => {
  const names = new Names()
  const { port, hang, recover } = outage(names)

  hang()
  const answer = port.get('ada')
  expect(await Promise.race([answer, later(20, 'nothing')])).toBe('nothing')
  expect(names.calls).toBe(0)

  recover()
  expect(await answer).toBe('Ada')
})

test('a slow outage takes its time, and the clock may be a fake one', async () => {
  const clock = new FakeClock()
  const { port, slow } = outage(new Names(), { clock })
  let answer: string | undefined

  slow(60_000)
  void port.get('ada').then((name) => {
    answer = name
  })
  await clock.advance(59_999)
  expect(answer).toBeUndefined()

  await clock.advance(1)
  expect(answer).toBe('Ada')
})

test('a flapping outage is down and up in turn, by the clock, until it recovers', async () => {
  const clock = new FakeClock()
  const { port, flap, recover } = outage(new Names(), { clock })
  const asked = async () => {
    return port.get('ada').then(
      () => 'up',
      ({ code }) => code,
    )
  }

  flap({ downMs: 300, upMs: 100 })
  const seen: string[] = []
  for (let step = 0; step < 8; step++) {
    seen.push(await asked())
    await clock.advance(100)
  }
  const [down, up] = ['ECONNREFUSED', 'up']
  expect(seen).toEqual([down, down, down, up, down, down, down, up])

  recover()
  expect(await asked()).toBe('up')
  flap({ downMs: 10, upMs: 10, error: new Error('READONLY') })
  await expect(port.get('ada')).rejects.toThrow('READONLY')
})

test('a hang that another fault follows lets go of who waited in it', async () => {
  const { port, hang, refuse } = outage(new Names())
  hang()
  const answer = port.get('ada')
  refuse()
  expect(await answer).toBe('Ada')
})

/** With a #private field, which refuses a proxy as `this`. */
class Names {
  readonly #names = new Map([['ada', 'Ada']])
  calls = 0

  async get(key: string): Promise<string | undefined> {
    this.calls += 1
    return this.#names.get(key)
  }
}

async function echoBehindProxy() {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  const port = await freePort()
  await once(server.listen(port, '127.0.0.1'), 'listening')
  const proxy = await startTcpProxy({ port })
  onTestFinished(async () => {
    await proxy.close()
    server.close()
  })
  const dial = async () => {
    const socket = connect(proxy.port, '127.0.0.1')
    await once(socket, 'connect')
    const failure = once(socket, 'error').then(([error]) => error as NodeJS.ErrnoException)
    failure.catch(() => {})
    const say = async (text: string, length = text.length) => {
      socket.write(text)
      let heard = ''
      while (heard.length < length) heard += String((await once(socket, 'data'))[0])
      return heard
    }
    return { socket, say, failure }
  }
  return { proxy, dial }
}

function later<T>(ms: number, value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(resolve, ms, value))
}
