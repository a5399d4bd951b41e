import type { Cache, EntryOptions } from '@stepladder/cache'
import type { History, Row } from './history.ts'
import type { Turns } from './turns.ts'

export const keys = ['a', 'b'] as const
const tags = ['red', 'blue'] as const
/** As often as they stand here. */
const deeds: readonly Deed[] = [
  'load',
  'load',
  'load',
  'load',
  'load',
  'load many',
  'look',
  'set',
  'change',
  'change',
]
type Deed = 'load' | 'load many' | 'look' | 'set' | 'change'
const loaderFailure = 'the loader failed'

/** What one change makes of the rows, and how the app invalidates it: by key, by tag, or everything. */
const changes = [
  { rows: ['a'], what: { keys: ['a'] } },
  { rows: ['b'], what: { keys: ['b'] } },
  { rows: ['b'], what: { tags: ['blue'] } },
  { rows: ['a', 'b'], what: { tags: ['red'] } },
  { rows: ['a', 'b'], what: { keys: ['a', 'b'] } },
  { rows: ['a', 'b'], what: 'everything' },
] as const

export interface Chance {
  pick<T>(choices: readonly T[]): T
  /** True in so many of a hundred cases. */
  percent(share: number): boolean
}

/** An app on several nodes with one database: what its requests do with the caches, told to the history. */
export class App {
  readonly #caches: readonly Cache[]
  readonly #history: History
  readonly #turns: Turns
  readonly #chance: Chance
  /** Rows that are being changed, and by how many. */
  readonly #writers = new Map<string, number>()
  /** Rows that are being set: the last of two concurrent calls would win, so the app lets no other write come between. */
  readonly #setting = new Set<string>()

  constructor(caches: readonly Cache[], history: History, turns: Turns, chance: Chance) {
    this.#caches = caches
    this.#history = history
    this.#turns = turns
    this.#chance = chance
  }

  /** One thing that a request does, at some node. */
  async act(): Promise<void> {
    const node = this.#chance.pick([...this.#caches.keys()])
    // One is wanted more than the other.
    const key = this.#chance.percent(75) ? keys[0] : keys[1]
    const deed = this.#chance.pick(deeds)
    if (deed === 'load') await this.load(node, key)
    else if (deed === 'load many') await this.#loadMany(node)
    else if (deed === 'look') await this.#look(node, key)
    else if (deed === 'set') await this.#set(node, key)
    else await this.#change(node)
    // Who has just changed a row shows it.
    if ((deed === 'change' || deed === 'set') && this.#chance.percent(50)) await this.load(node, key)
  }

  async load(node: number, key: string): Promise<void> {
    const strong = this.#chance.percent(30)
    const asked = this.#history.ask(node, key, strong)
    const load = async () => (await this.#query([key]))[0]
    await orLoaderFailure(async () => {
      this.#history.answer(asked, await this.#caches[node]!.getOrSet(key, load, this.#options(strong)))
    })
  }

  async #loadMany(node: number): Promise<void> {
    const strong = this.#chance.percent(30)
    const asked = keys.map((key) => this.#history.ask(node, key, strong))
    await orLoaderFailure(async () => {
      const options = { ...this.#options(strong), partial: this.#chance.percent(50) }
      const found = await this.#caches[node]!.getOrSetMany(keys, (missing) => this.#query(missing), options)
      for (const read of asked) if (found.has(read.key)) this.#history.answer(read, found.get(read.key))
    })
  }

  async #look(node: number, key: string): Promise<void> {
    const asked = this.#history.ask(node, key)
    const value = await this.#caches[node]!.get(key)
    if (value !== undefined) this.#history.answer(asked, value)
  }

  /** What the loaders ask the database; sometimes it fails. */
  async #query(missing: readonly string[]): Promise<string[]> {
    const fails = this.#chance.percent(5)
    await this.#turns.wait('database')
    const values = missing.map((key) => this.#history.valueOf(key))
    this.#history.note(`the database is asked: ${values.join(' and ')}`)
    await this.#turns.wait('database')
    if (fails) throw new Error(loaderFailure)
    return values
  }

  async #set(node: number, key: string): Promise<void> {
    if (this.#writers.has(key) || this.#setting.has(key)) return
    this.#setting.add(key)
    const rows = this.#history.commit([key])
    this.#history.note(`node ${node} sets it`)
    const delivery = await this.#caches[node]!.set(key, this.#history.valueOf(key), this.#options(false))
    this.#history.invalidated(rows, node, delivery)
    this.#setting.delete(key)
  }

  async #change(node: number): Promise<void> {
    const { rows: changed, what } = this.#chance.pick(changes)
    if (changed.some((key) => this.#setting.has(key))) return
    this.#countWriters(changed, 1)
    const rows: readonly Row[] = this.#history.commit(changed)
    await this.#turns.wait('app')
    const cache = this.#caches[node]!
    const delivery = await (what === 'everything' ? cache.clear() : cache.invalidate(what))
    this.#history.invalidated(rows, node, delivery)
    this.#countWriters(changed, -1)
  }

  #countWriters(changed: readonly string[], more: number): void {
    for (const key of changed) {
      const count = (this.#writers.get(key) ?? 0) + more
      if (count > 0) this.#writers.set(key, count)
      else this.#writers.delete(key)
    }
  }

  #options(strong: boolean): EntryOptions<unknown> {
    return strong ? { tags, strong } : { tags }
  }
}

/** The loader's failure may reach whoever shares the load; any other is a fault of the cache. */
async function orLoaderFailure(read: () => Promise<void>): Promise<void> {
  try {
    await read()
  } catch (failure) {
    const isExpected =
      failure instanceof Error &&
      (failure.message === loaderFailure || ('code' in failure && failure.code === 'LOAD_TIMEOUT'))
    if (!isExpected) throw failure
  }
}
