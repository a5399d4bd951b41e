import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InvalidOptionError, readyWhen } from '@stepladder/core'
import { health } from '@stepladder/core/express'
import { expect, test } from 'vitest'

/** The way without Express. */
async function serve() {
  const probes = health()
  const server = createServer((asked: IncomingMessage, response: ServerResponse) =>
    probes(asked, response, () => response.end('the app')),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // It listens on a port.
  const { port } = server.address() as AddressInfo
  return {
    ask: (path: string, method = 'GET') => ask(port, path, method),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function ask(port: number, path: string, method: string) {
  return new Promise<{ status: number; headers: IncomingMessage['headers']; text: string }>(
    (resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, method }, async (response) => {
        let text = ''
        for await (const part of response) text += part
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      })
      asked.once('error', reject).end()
    },
  )
}

test('a process without checks is alive and ready, and its probes are not cached', async () => {
  await using app = await serve()
  expect(await app.ask('/livez')).toMatchObject({ status: 200, text: '{"status":"alive"}' })
  const { status, headers, text } = await app.ask('/readyz')
  expect({ status, text }).toEqual({ status: 200, text: '{"status":"ready","checks":{}}' })
  expect(headers['cache-control']).toBe('no-store')
})

test('/readyz names the check that fails, and says no more of its error than a code', async () => {
  await using app = await serve()
  const failing = readyWhen('database', () => {
    throw Object.assign(new Error('password of postgres://ada:secret@db refused'), { code: '28P01' })
  })
  const passing = readyWhen('files', () => true)

  const plain = await app.ask('/readyz')
  expect(plain.status).toBe(503)
  expect(JSON.parse(plain.text)).toEqual({
    status: 'not ready',
    checks: { database: 'failing', files: 'ok' },
  })
  const verbose = await app.ask('/readyz?verbose')
  expect(JSON.parse(verbose.text).checks.database).toEqual({
    status: 'failing',
    ms: expect.any(Number),
    code: '28P01',
  })
  expect(`${plain.text}${verbose.text}`).not.toMatch(/secret|ada/)
  expect(await app.ask('/livez')).toMatchObject({ status: 200 })

  await failing.close()
  expect(await app.ask('/readyz')).toMatchObject({ status: 200 })
  await passing.close()
})

test('HEAD is answered without a body', async () => {
  await using app = await serve()
  const down = readyWhen('database', () => false)
  expect(await app.ask('/livez', 'HEAD')).toMatchObject({ status: 200, text: '' })
  expect(await app.ask('/readyz', 'HEAD')).toMatchObject({ status: 503, text: '' })
  await down.close()
})

test.each([
  ['/', 'GET'],
  ['/livez/more', 'GET'],
  ['/api/readyz', 'GET'],
  ['/livez', 'POST'],
])('%s by %s is for the app', async (path, method) => {
  await using app = await serve()
  expect(await app.ask(path, method)).toMatchObject({ status: 200, text: 'the app' })
})

test('a check has a name of its own, and is a function', async () => {
  const taken = readyWhen('database', () => true)
  expect(() => readyWhen('database', () => true)).toThrow(InvalidOptionError)
  await taken.close()
  await taken.close()
  await readyWhen('database', () => true).close()
  // @ts-expect-error: what JavaScript can do
  expect(() => readyWhen('database')).toThrow('option "check" must be a function, but is undefined')
  expect(() => readyWhen('', () => true)).toThrow('option "name"')
})
