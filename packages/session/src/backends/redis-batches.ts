import { Batches, type Deadlines, isRedisCluster, type RedisClient, RedisScript } from '@stepladder/core'
import type { Replaced } from '../backend.ts'

/** What one command may hold Redis up with: well under a millisecond. */
const mostReads = 64
const mostWrites = 32

/** A record that is so long in characters goes by itself. */
const longRecord = 16_384

/** A record to be written where another is expected. */
export class Replacement {
  readonly key: string
  readonly expected: string
  readonly text: string
  readonly ttlMs: number

  constructor(key: string, expected: string, text: string, ttlMs: number) {
    this.key = key
    this.expected = expected
    this.text = text
    this.ttlMs = ttlMs
  }

  get isLong(): boolean {
    return this.text.length > longRecord || this.expected.length > longRecord
  }
}

/** As Redis answers to a replacement: done; what is there instead; nothing is; or it cannot, and why. */
type Answer = 1 | string | null | readonly [failure: string]

/**
 * Compares the record itself, not a version beside it: connect-redis, which may write the same record during a rolling
 * deploy, knows of no version. The answer carries what is there, to save a second trip. What fails for one key, fails for
 * that one alone; a replica refuses all, and says so where the client sees it, which may look for the master then.
 */
const replaceScript = new RedisScript(`
local answers = {}
for i, key in ipairs(KEYS) do
  local found = redis.pcall('GET', key)
  if found == ARGV[i * 3 - 2] then
    found = redis.pcall('SET', key, ARGV[i * 3 - 1], 'PX', ARGV[i * 3])
    if found.err and string.find(found.err, 'READONLY', 1, true) then
      return found
    end
    answers[i] = found.err and { found.err } or 1
  else
    answers[i] = type(found) == 'table' and { found.err } or found
  end
end
return answers`)

/** The keys are on different servers, whatever the client knows of that, or its user may `GET` and no more. */
const takesNoMany = /^(CROSSSLOT|NOPERM|ERR unknown command)/

/**
 * Sends what many requests ask for about the same time as one command: a command for each costs this process more than
 * anything else in a request. In a cluster, keys are on different servers, and each has a command of its own; so it is
 * where the server turns out to refuse commands for many.
 */
export class RedisBatches {
  readonly #client: RedisClient
  readonly #deadlines: Deadlines
  #readsMany: boolean
  #writesMany: boolean
  readonly #reads = new Batches<string, string | undefined>((keys) => this.#readAll(keys), {
    most: mostReads,
    until: 'poll',
  })
  readonly #writes = new Batches<Replacement, Answer>((all) => this.#replaceAll(all), {
    most: mostWrites,
    until: 'poll',
  })

  constructor(client: RedisClient, deadlines: Deadlines) {
    this.#client = client
    this.#deadlines = deadlines
    this.#readsMany = !isRedisCluster(client)
    this.#writesMany = this.#readsMany
  }

  read(key: string): Promise<string | undefined> {
    return this.#readsMany ? this.#reads.ask(key) : this.#deadlines.run('reading', () => this.#readOne(key))
  }

  async replace(replacement: Replacement): Promise<Replaced> {
    const isAlone = !this.#writesMany || replacement.isLong
    const answer = isAlone ? (await this.#replaceAll([replacement]))[0] : await this.#writes.ask(replacement)
    // Two that are the same as text and not to Redis: somebody else has written what is no UTF-8.
    return answer === replacement.expected ? this.#replaceBytes(replacement) : replacedBy(answer)
  }

  /** Compares what is there to the byte, once it is known to be what was expected as far as text can tell. */
  async #replaceBytes({ key, expected, text, ttlMs }: Replacement): Promise<Replaced> {
    const found = await this.#deadlines.run('reading', () => this.#client.getBuffer(key))
    if (found === null) return gone
    const current = found.toString()
    if (current !== expected) return { isDone: false, current }
    const run = () => replaceScript.run(this.#client, [key], [found, text, ttlMs])
    // As the script answers.
    const [answer] = (await this.#deadlines.run('writing', run)) as Answer[]
    return replacedBy(answer)
  }

  async #readOne(key: string): Promise<string | undefined> {
    return orUndefined(await this.#client.get(key))
  }

  #readAll(keys: readonly string[]): Promise<readonly (string | undefined)[]> {
    return this.#deadlines.run('reading', async () => {
      try {
        // As MGET answers.
        const answer = (await this.#client.call('mget', ...keys)) as (string | null)[]
        return answer.map(orUndefined)
      } catch (failure) {
        if (!isRefusal(failure)) throw failure
        this.#readsMany = false
        return Promise.all(keys.map((key) => this.#readOne(key)))
      }
    })
  }

  #replaceAll(all: readonly Replacement[]): Promise<readonly Answer[]> {
    return this.#deadlines.run('writing', async () => {
      try {
        return await this.#replaceTogether(all)
      } catch (failure) {
        if (all.length === 1 || !isRefusal(failure)) throw failure
        this.#writesMany = false
        return (await Promise.all(all.map((one) => this.#replaceTogether([one])))).flat()
      }
    })
  }

  async #replaceTogether(all: readonly Replacement[]): Promise<readonly Answer[]> {
    const keys: string[] = []
    const args: (string | number)[] = []
    for (const { key, expected, text, ttlMs } of all) {
      keys.push(key)
      args.push(expected, text, ttlMs)
    }
    // As the script answers.
    return (await replaceScript.run(this.#client, keys, args)) as Answer[]
  }
}

function replacedBy(answer: Answer | undefined): Replaced {
  if (answer === 1) return done
  if (typeof answer === 'string') return { isDone: false, current: answer }
  if (answer === null) return gone
  throw new Error(answer?.[0] ?? 'Redis has left an answer out')
}

function isRefusal(failure: unknown): boolean {
  return failure instanceof Error && takesNoMany.test(failure.message)
}

function orUndefined(answer: string | null): string | undefined {
  return answer ?? undefined
}

const done: Replaced = { isDone: true }
const gone: Replaced = { isDone: false, current: undefined }
