import { FakeClock, RecordedReports } from '@stepladder/core/testing'
import {
  createSessions,
  MemorySessionBackend,
  type SessionBackend,
  type Sessions,
  type SessionsOptions,
} from '@stepladder/session'

export interface Data {
  user: string
  views: number
  text: string
  cart: Record<string, number>
}

export interface SetUp<B extends SessionBackend> {
  readonly sessions: Sessions<Data>
  readonly clock: FakeClock
  readonly backend: B
  readonly reports: RecordedReports
  /** A session with these fields, as the cookie that a browser sends. */
  begun(fields: Partial<Data>): Promise<string>
  /** The fields that the next request of the cookie finds. */
  stored(cookie: string): Promise<Partial<Data>>
}

type Rest = Partial<Omit<SessionsOptions, 'backend'>>

export function setUp(options?: Rest): SetUp<MemorySessionBackend>
export function setUp<B extends SessionBackend>(options: Rest, backendOf: (clock: FakeClock) => B): SetUp<B>
export function setUp(
  options: Rest = {},
  backendOf = (clock: FakeClock): SessionBackend => new MemorySessionBackend({ clock }),
): SetUp<SessionBackend> {
  const clock = new FakeClock()
  const backend = backendOf(clock)
  const reports = new RecordedReports()
  const { report } = reports
  const sessions = createSessions<Data>({ secret: 'for tests only', backend, clock, report, ...options })
  const begun = async (fields: Partial<Data>) => {
    const session = await sessions.load(undefined)
    Object.assign(session, fields)
    return cookieOf(await sessions.commit(session))
  }
  const stored = async (cookie: string) => JSON.parse(JSON.stringify(await sessions.load(cookie)))
  return { sessions, clock, backend, reports, begun, stored }
}

/** What a browser sends back for a `Set-Cookie`. */
export function cookieOf(setCookie: string | undefined): string {
  const [cookie] = setCookie?.split(';') ?? []
  if (!cookie) throw new Error('there is no cookie')
  return cookie
}

/** Fails whatever it is asked while `isDown`. */
export class FailingBackend extends MemorySessionBackend {
  isDown = false

  override async get(...args: Parameters<MemorySessionBackend['get']>): Promise<string | undefined> {
    this.#refuse()
    return super.get(...args)
  }

  override async putNew(...args: Parameters<MemorySessionBackend['putNew']>): Promise<boolean> {
    this.#refuse()
    return super.putNew(...args)
  }

  override async put(...args: Parameters<MemorySessionBackend['put']>): Promise<void> {
    this.#refuse()
    return super.put(...args)
  }

  override async replace(
    ...args: Parameters<MemorySessionBackend['replace']>
  ): ReturnType<MemorySessionBackend['replace']> {
    this.#refuse()
    return super.replace(...args)
  }

  override async destroy(...args: Parameters<MemorySessionBackend['destroy']>): Promise<string | undefined> {
    this.#refuse()
    return super.destroy(...args)
  }

  #refuse(): void {
    if (this.isDown) throw new Error('the store is down')
  }
}
