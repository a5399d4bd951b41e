import { once } from 'node:events'
import { connect } from 'node:net'
import {
  type CookieOptions,
  createSessions,
  MemorySessionBackend,
  type SessionsOptions,
} from '@stepladder/session'
import { sessions } from '@stepladder/session/express'
import { afterEach, describe, expect, test } from 'vitest'
import { type RunningServer, serve } from './http.ts'

const secret = 'for tests only'
const open = (options: Partial<SessionsOptions>) =>
  createSessions({ secret, backend: new MemorySessionBackend(), ...options })

describe('a cookie that browsers would drop, or Node would not send, is refused when sessions are made:', () => {
  const refused: [string, string, object][] = [
    ['a name with blanks', 'name', { name: 'my session' }],
    ['a name with a separator', 'name', { name: 'a=b' }],
    ['a name beyond ASCII', 'name', { name: 'sitzüng' }],
    ['no name', 'name', { name: '' }],
    ['a name that is too long', 'name', { name: 'n'.repeat(257) }],
    ['__Host- with a domain', 'name', { name: '__Host-id', domain: 'example.com' }],
    ['__Host- with a path', 'name', { name: '__Host-id', path: '/app' }],
    ['__Host- without TLS', 'name', { name: '__Host-id', secure: false }],
    ['__HOST- in other letters', 'name', { name: '__hOsT-id', path: '/app' }],
    ['__Secure- without TLS', 'name', { name: '__secure-id', secure: false }],
    ['__Http- for scripts', 'name', { name: '__Http-id', httpOnly: false }],
    ['__Host-Http- for scripts', 'name', { name: '__Host-Http-id', httpOnly: false }],
    ['a path that is none', 'path', { path: 'app' }],
    ['a path with more behind it', 'path', { path: '/; Domain=evil.example' }],
    ['a path with a line break', 'path', { path: '/a\r\nSet-Cookie: a=b' }],
    ['a path beyond ASCII', 'path', { path: '/straße' }],
    ['a path that is too long', 'path', { path: `/${'p'.repeat(1_024)}` }],
    ['a domain with more behind it', 'domain', { domain: 'example.com; Secure' }],
    ['a domain with a port', 'domain', { domain: 'example.com:443' }],
    ['a URL for a domain', 'domain', { domain: 'https://example.com' }],
    ['no domain', 'domain', { domain: '' }],
    ['a domain with an end of its own', 'domain', { domain: 'example.com.' }],
    ['a domain of dots', 'domain', { domain: '..' }],
    ['a domain that is too long', 'domain', { domain: `${'d.'.repeat(127)}d` }],
    ['a part of a domain that is too long', 'domain', { domain: `${'d'.repeat(64)}.com` }],
    ['SameSite in other letters', 'sameSite', { sameSite: 'Lax' }],
    ['SameSite as a boolean', 'sameSite', { sameSite: true }],
    ['SameSite=None without TLS', 'sameSite', { sameSite: 'none', secure: false }],
    ['Partitioned without TLS', 'partitioned', { partitioned: true, secure: false }],
    ["express-session's word for it", 'secure', { secure: 'auto' }],
    ['a word for HttpOnly', 'httpOnly', { httpOnly: 'false' }],
    ['a priority that is none', 'priority', { priority: 'highest' }],
  ]
  test.each(refused)('%s', (_, option, cookie: CookieOptions) => {
    expect(() => open({ cookie })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', option }))
  })

  test('an option of express-session that is called otherwise here', () => {
    const cookie: object = { maxAge: 1_000 }
    expect(() => open({ cookie })).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION', option: 'maxAge' }),
    )
  })
})

test.each([
  ['hashIds', { hashIds: 'false' }],
  ['onConflict', { onConflict: 'mine' }],
  ['secret', { secret: '' }],
  ['secret', { secret: [] }],
  ['secret', { secret: ['new', ''] }],
  ['secret', { secret: 7 }],
  ['onOutage', { onOutage: 'ignore' }],
  ['touchAfter', { idleTimeout: '1m', touchAfter: '2m' }],
  ['idleTimeout', { idleTimeout: 0 }],
  ['absoluteTimeout', { absoluteTimeout: Number.POSITIVE_INFINITY }],
  ['maxSize', { maxSize: 'large' }],
])('an option %s that cannot be used is refused when sessions are made: %j', (option, options: object) => {
  expect(() => open(options)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', option }))
})

test('a secret that is refused is not in the error', () => {
  const secret: unknown = ['a very secret text', 7]
  expect(() => open({ secret: secret as string })).toThrow(/^(?!.*very secret)/)
})

test.each([undefined, null, '', 'a=b'])(
  'a request with %j for a cookie header gets a new session',
  async (header) => {
    expect((await open({}).load(header)).info.isNew).toBe(true)
  },
)

describe('over a socket', () => {
  const servers: RunningServer[] = []
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close()
  })

  async function start() {
    const opened = open({})
    const handle = sessions(opened)
    const server = await serve((request, response) => {
      handle(request, response, (failure) => {
        const session = failure ? undefined : handle.get(request)
        response.statusCode = failure ? 500 : 200
        response.end(JSON.stringify(session ?? String(failure)))
      })
    })
    servers.push(server)
    const begin = async (user: string) => {
      const session = await opened.load(undefined)
      Object.assign(session, { user })
      return (await opened.commit(session))!.split(';')[0]!
    }
    return { port: server.port, ada: await begin('ada'), bob: await begin('bob') }
  }

  /** The first line and the body that come back, bytes as letters; nothing: Node has cut the connection. */
  async function send(port: number, lines: readonly string[]): Promise<[string, string]> {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(Buffer.from(chunk))).on('error', () => {})
    const head = ['GET / HTTP/1.1', 'Host: localhost', 'Connection: close', ...lines]
    socket.write(Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'))
    await new Promise<void>((resolve) => socket.on('close', () => resolve()))
    const answer = Buffer.concat(chunks).toString('latin1')
    return [answer.split('\r\n')[0] ?? '', answer.split('\r\n\r\n')[1] ?? '']
  }

  test('a cookie that is spoilt in any way is served as none, or refused by Node', async () => {
    const { port, ada, bob } = await start()
    const spoilt = [
      ...[
        'Cookie:',
        'Cookie: ;',
        'Cookie: =',
        `Cookie: ${ada.slice(0, -1)}`,
        `Cookie: ${ada}x`,
        'Cookie: __proto__=1',
      ],
      ...[`Cookie: ${ada.replace('%3A', '%3')}`, `Cookie: ${ada.replace('%3A', '%ff')}`, `Cookie: ${ada}%00`],
      ...[`Cookie: ${ada}\xff`, `Cookie: \xe9=${ada}`, `Cookie: ${'a'.repeat(15_000)}=${ada}`],
      ...[
        `Cookie: ${ada}\0`,
        `Cookie: ${ada.slice(0, 20)}\n ${ada.slice(20)}`,
        `Cookie: ${'a='.repeat(40_000)}`,
      ],
      ...[`Cookie: ${ada.slice(0, 40)}${bob.slice(40)}`, `Cookie2: ${ada}`, `X-Cookie: ${ada}`],
    ]
    for (const line of spoilt) {
      const [status, body] = await send(port, [line])
      expect([line, status]).toEqual([line, expect.stringMatching(/^(HTTP\/1\.1 (200|400|431) .*)?$/)])
      if (status.includes(' 200 ')) expect([line, body]).toEqual([line, '{}'])
    }
    expect(await send(port, [`Cookie: ${bob}`])).toEqual(['HTTP/1.1 200 OK', '{"user":"bob"}'])
  })

  test('of several Cookie headers and cookies the first that is signed counts, and none of them together', async () => {
    const { port, ada, bob } = await start()
    const user = async (...lines: string[]) => JSON.parse((await send(port, lines))[1]).user
    expect(await user(`Cookie: ${ada}`, `Cookie: ${bob}`)).toBe('ada')
    expect(await user('Cookie: __Host-session=forged', `cookie: ${bob}`)).toBe('bob')
    expect(await user(`Cookie: ${ada.slice(0, 40)}`, `Cookie: ${ada.slice(40)}`)).toBeUndefined()
    expect(await user(`Cookie: \xff\xfe=1; ${ada}; \xe9`)).toBe('ada')
  })
})
