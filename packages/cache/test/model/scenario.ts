import { type Bus, type Cache, type CacheStore, createCache } from '@stepladder/cache'
import { MemoryStore } from '@stepladder/cache/testing'
import { type Clock, sleep, systemClock } from '@stepladder/core'
import { seededRandom } from '@stepladder/core/testing'
import { vi } from 'vitest'
import { App, type Chance, keys } from './app.ts'
import { History } from './history.ts'
import { ModelNetwork, type NodeNetwork } from './model-network.ts'
import { settle, Turns } from './turns.ts'

export interface Guards {
  /** Takes something out of what is tested, for an arm that must fail. */
  readonly store?: (store: CacheStore) => CacheStore
  readonly bus?: (bus: Bus) => Bus
}

const nodes = 3
const actors = 4
const stepsPerActor = 6
const faultsPerScenario = 4
const fenceMs = 1_000
/** A scenario that takes longer, in its own time, has a call that never ends. */
const patienceMs = 600_000
const pauses = [1, 5, 20, 100, 300, 1_100]

/** Three nodes, when chance chooses what happens and in which order: what they served, and what of it they must not. */
export async function playScenario(seed: number, guards: Guards = {}): Promise<History> {
  // All time is the scenario's own, that of the breaker and its window too.
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  })
  // The times at which XFetch and others act are chance as well.
  const random = seededRandom(seed)
  const chance = vi.spyOn(Math, 'random').mockImplementation(random)
  try {
    return await new Scenario(seed, random, guards).run()
  } finally {
    chance.mockRestore()
    vi.useRealTimers()
  }
}

class Scenario implements Chance {
  readonly #random: () => number
  readonly #turns: Turns
  readonly #history = new History(fenceMs)
  readonly #ends: NodeNetwork[] = []
  readonly #caches: Cache[] = []
  readonly #app: App
  /** Whether nothing goes wrong in this scenario, connections break, or the store cannot be reached as well. */
  readonly #weather: 'calm' | 'gaps' | 'outages'
  /** How often time passes although something else could happen, in percent: with haste, budgets run out. */
  readonly #haste: number

  constructor(seed: number, random: () => number, guards: Guards) {
    this.#random = random
    this.#turns = new Turns(random)
    this.#app = new App(this.#caches, this.#history, this.#turns, this)
    this.#weather = this.pick(['calm', 'gaps', 'outages'])
    this.#haste = this.pick([0.3, 2, 10])
    this.#open(`scenario-${seed}`, guards)
  }

  async run(): Promise<History> {
    const acting = Array.from({ length: actors }, (_, actor) => this.#act(`actor ${actor}`))
    if (this.#weather !== 'calm') acting.push(this.#disturb())
    await this.#until(Promise.all(acting))
    await this.#until(this.#recover())
    await this.#until(this.#readAll())
    await this.#until(Promise.all(this.#caches.map((cache) => cache.close())))
    return this.#history
  }

  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)]!
  }

  percent(share: number): boolean {
    return this.#random() * 100 < share
  }

  #open(name: string, { store: wrapStore = (store) => store, bus: wrapBus = (bus) => bus }: Guards): void {
    const network = new ModelNetwork(this.#turns, fenceMs)
    const shared = new MemoryStore()
    const policy = {
      grace: this.pick([0, 0, 5_000]),
      softTimeout: this.pick([undefined, undefined, 50]),
      hardTimeout: this.pick([undefined, undefined, 400]),
      refreshAhead: this.pick([undefined, undefined, 0.2]),
      earlyRefresh: this.pick([undefined, undefined, 3]),
    }
    for (let node = 0; node < nodes; node++) {
      const end = network.join(`node ${node}`)
      this.#ends.push(end)
      this.#caches.push(
        createCache({
          ...{ name, ttl: this.pick([100, 60_000, 60_000, 60_000]), jitter: 0, ...policy },
          store: end.reach(wrapStore(shared)),
          bus: wrapBus(end.bus),
          clock: skewed(this.pick([0, 0, -5_000, 5_000])),
        }),
      )
    }
  }

  /** Lets turns be taken and time pass, as chance has it, until the task is over. */
  async #until(task: Promise<unknown>): Promise<void> {
    let isOver = false
    task
      .catch((failure: unknown) => this.#history.violations.push(`a call failed: ${String(failure)}`))
      .finally(() => {
        isOver = true
      })
    const givesUpAt = performance.now() + patienceMs
    for (await settle(); !isOver; ) {
      if (!this.percent(this.#haste) && (await this.#turns.next())) continue
      vi.advanceTimersByTime(this.pick(pauses))
      await settle()
      if (performance.now() < givesUpAt) continue
      this.#history.violations.push('a call never ended')
      return
    }
  }

  async #act(name: string): Promise<void> {
    for (let step = 0; step < stepsPerActor; step++) {
      await this.#turns.wait(name)
      await this.#app.act()
    }
  }

  /** Breaks something of a node, and mends it some turns later, again and again. */
  async #disturb(): Promise<void> {
    const faults = this.#weather === 'gaps' ? ['deaf'] : ['deaf', 'down', 'hanging', 'cut off']
    for (let fault = 0; fault < faultsPerScenario; fault++) {
      const [end, kind] = [this.pick(this.#ends), this.pick(faults)]
      await this.#someTurns()
      if (kind === 'deaf' || kind === 'cut off') end.bus.cut()
      if (kind === 'down' || kind === 'cut off') end.isDown = true
      if (kind === 'hanging') end.freeze()
      this.#history.note(`${end.name} is ${kind}`)
      await this.#someTurns()
      this.#mend(end)
    }
  }

  async #someTurns(): Promise<void> {
    for (let turn = this.pick([1, 2, 4, 8, 16]); turn > 0; turn--) await this.#turns.wait('weather')
  }

  #mend(end: NodeNetwork): void {
    end.isDown = false
    end.thaw()
    end.bus.mend()
    this.#history.note(`${end.name} is well`)
  }

  /** Until what was queued is delivered, and the fence is past. */
  async #recover(): Promise<void> {
    for (const end of this.#ends) this.#mend(end)
    for (const cache of this.#caches) {
      // What waits is delivered before anything else is `done`.
      while ((await cache.delete('nothing')) !== 'done') await sleep(50)
    }
    this.#history.allDelivered()
    await sleep(fenceMs + 1)
  }

  /** At all nodes at once: nobody may have anything but the last versions now. */
  async #readAll(): Promise<void> {
    const reads = [...this.#caches.keys()].flatMap((node) => keys.map((key) => this.#app.load(node, key)))
    await Promise.all(reads)
  }
}

/** A machine whose clock on the wall is wrong. */
function skewed(byMs: number): Clock {
  return {
    now: () => systemClock.now() + byMs,
    monotonic: () => systemClock.monotonic(),
    after: (ms, task) => systemClock.after(ms, task),
  }
}
