import type { Bus, BusListener, CacheStore, Invalidation } from '@stepladder/cache'
import type { Turns } from './turns.ts'

/** Shared by all nodes: who may be reached, and what was sent and not yet heard. */
export class ModelNetwork {
  readonly fenceMs: number
  readonly #turns: Turns
  readonly #ends: NodeNetwork[] = []

  constructor(turns: Turns, fenceMs: number) {
    this.#turns = turns
    this.fenceMs = fenceMs
  }

  join(name: string): NodeNetwork {
    const end = new NodeNetwork(name, this.#turns, this)
    this.#ends.push(end)
    return end
  }

  /** To everybody who listens at this moment; those who do not will never hear it. */
  send(from: NodeNetwork, invalidation: Invalidation): void {
    for (const end of this.#ends) if (end !== from) end.bus.receive(invalidation)
  }
}

/** How one node reaches the store and the others, and what can be wrong with that. */
export class NodeNetwork {
  readonly name: string
  readonly bus: ModelBus
  readonly #turns: Turns
  /** While it is down, calls fail: before they arrive, or after, so that only the answer is lost. */
  isDown = false

  constructor(name: string, turns: Turns, network: ModelNetwork) {
    this.name = name
    this.#turns = turns
    this.bus = new ModelBus(this, turns, network)
  }

  /** The store as this node sees it: requests and answers take their turns. */
  reach(store: CacheStore): CacheStore {
    return new Proxy(store, {
      get: (target, method) => {
        const member: unknown = Reflect.get(target, method, target)
        if (typeof member !== 'function' || method === 'close') return member
        return (...args: unknown[]) => this.call(() => Reflect.apply(member, target, args))
      },
    })
  }

  /** From now on nothing that it sends arrives, and nothing reaches it; `thaw` lets it through, late. */
  freeze(): void {
    for (const of of [this.name, this.bus.name]) this.#turns.hold(of)
  }

  thaw(): void {
    for (const of of [this.name, this.bus.name]) this.#turns.free(of)
  }

  async call<T>(request: () => T): Promise<Awaited<T>> {
    await this.#turns.wait(this.name)
    this.#failIfDown()
    const answer = await request()
    await this.#turns.wait(this.name)
    this.#failIfDown()
    return answer
  }

  #failIfDown(): void {
    if (this.isDown) throw new Error(`${this.name} cannot reach the store`)
  }
}

/**
 * The worst bus that the port allows: it delivers in order and as late as it likes, and says that memory may be
 * trusted for exactly as long as the port permits. What is published while a node does not listen, it never hears.
 */
export class ModelBus implements Bus {
  readonly name: string
  readonly #node: NodeNetwork
  readonly #turns: Turns
  readonly #network: ModelNetwork
  #listener: BusListener | undefined
  #unheard: { readonly invalidation: Invalidation; readonly sentAt: number }[] = []
  /** Since when it may be missing something; undefined while it is connected. */
  #deafSince: number | undefined

  constructor(node: NodeNetwork, turns: Turns, network: ModelNetwork) {
    this.name = `bus of ${node.name}`
    this.#node = node
    this.#turns = turns
    this.#network = network
  }

  get heardUntil(): number {
    const oldest = this.#unheard[0]?.sentAt ?? this.#deafSince ?? performance.now()
    return oldest + this.#network.fenceMs
  }

  subscribe(listener: BusListener): void {
    this.#listener = listener
  }

  publish(invalidation: Invalidation): Promise<void> {
    return this.#node.call(() => this.#network.send(this.#node, invalidation))
  }

  receive(invalidation: Invalidation): void {
    if (this.#deafSince !== undefined) return
    this.#unheard.push({ invalidation, sentAt: performance.now() })
    void this.#turns.wait(this.name).then(() => this.#hearNext())
  }

  /** The connection breaks; what was on its way is lost. */
  cut(): void {
    this.#deafSince ??= this.#unheard[0]?.sentAt ?? performance.now()
    this.#unheard = []
  }

  /** The connection is there again. */
  mend(): void {
    if (this.#deafSince === undefined) return
    this.#listener?.onGap()
    this.#deafSince = undefined
  }

  async close(): Promise<void> {}

  /** In the order in which they were sent, whichever of their turns came. */
  #hearNext(): void {
    const next = this.#unheard.shift()
    if (next) this.#listener?.onInvalidation(next.invalidation)
  }
}
