import { randomBytes } from 'node:crypto'
import type { RedisClient } from '@stepladder/core'
import type { Invalidation } from '../bus/bus.ts'
import { inBatches, inBatchesOfBytes, RecordSizes } from './redis-batches.ts'
import { type ClaimHow, claimAll } from './redis-claims.ts'
import { RedisKeys } from './redis-keys.ts'
import { RedisLink } from './redis-link.ts'
import { fillScript, invalidateScript, releaseScript, renewScript, setScript } from './redis-scripts.ts'
import { RedisServer } from './redis-server.ts'
import type { CacheStore, Claim, Claimed, Claims, ClaimTimes, Fill, Lease } from './store.ts'

/** What one message names at most. */
const mostTold = 500

/**
 * Records, leases and tag epochs in Redis 6.2 or later: one command per call on a single server, one per key on a
 * cluster. Nothing stays without a TTL. What was stored before a restart or a failover is not served after it.
 */
export class RedisStore implements CacheStore {
  readonly announces = true
  readonly #keys: RedisKeys
  readonly #link: RedisLink
  readonly #server: Promise<RedisServer>
  readonly #sizes = new RecordSizes()
  /** In the name of every epoch that this store makes up; nobody else has it. */
  readonly #epochName = randomBytes(6).toString('base64url')
  #lastEpoch = 0
  /** The share of claims that find a record, of late. */
  #hitShare = 0

  /** Takes over the client: `close()` ends its connection. Give the bus beside it the same link. */
  constructor(name: string, client: Promise<RedisClient>, link: RedisLink = new RedisLink()) {
    this.#keys = new RedisKeys(name)
    this.#link = link
    this.#server = client.then((client) => new RedisServer(client, this.#keys, link))
    // Each call tells of a client that cannot be had.
    this.#server.catch(() => {})
  }

  async get(keys: readonly string[]): Promise<readonly (Buffer | null)[]> {
    return this.#read((await this.#open()).server, keys)
  }

  /** Where most claims find a record, all are read before any is claimed: Lua makes reading several times dearer. */
  async claim(claims: readonly Claim[], tags: readonly string[], times: ClaimTimes): Promise<Claims> {
    const { server, incarnation } = await this.#open()
    const newEpochs = `${incarnation}${this.#epochName}${(++this.#lastEpoch).toString(36)}`
    const ask = (claims: readonly Claim[]) => this.#claim(server, { claims, tags }, { ...times, newEpochs })
    const areHitsLikely = this.#hitShare >= 0.9 && claims.length > 0
    // Epochs are made to last by the script only.
    if (!areHitsLikely || tags.length > 0 || claims.some(({ isForced, isTaking }) => isForced || isTaking)) {
      const answer = await ask(claims)
      this.#sawHits(answer.claimed)
      return answer
    }
    return this.#readOrClaim(server, claims, ask)
  }

  async fill(fills: readonly Fill[]): Promise<readonly boolean[]> {
    const { server } = await this.#open()
    const batches = inBatchesOfBytes(fills, server.mostKeys, ({ record }) => record.length)
    const answers = batches.map(async (batch) => {
      const args: (string | Buffer | number)[] = []
      for (const { key, token, record, forMs } of batch) {
        this.#link.writes.note(key, record)
        args.push(token, record, forMs)
      }
      const names = [...this.#records(batch), ...this.#leases(batch)]
      // As the script answers.
      return (await fillScript.runBuffer(server.client, names, args)) as number[]
    })
    return (await Promise.all(answers)).flat().map((isFilled) => isFilled === 1)
  }

  async set({ key, token, record, forMs }: Fill): Promise<boolean> {
    const { server } = await this.#open()
    this.#link.writes.note(key, record)
    const message = this.#link.message({ keys: [key], tags: [] })
    const names = [this.#keys.record(key), this.#keys.lease(key)]
    return (
      (await setScript.runBuffer(server.client, names, [token, record, forMs, server.channel, message])) === 1
    )
  }

  async renew(leases: readonly Lease[], forMs: number): Promise<void> {
    const { server } = await this.#open()
    const renew = (batch: readonly Lease[]) =>
      renewScript.runBuffer(server.client, this.#leases(batch), [forMs, ...batch.map(({ token }) => token)])
    await Promise.all(inBatches(leases, server.mostKeys).map(renew))
  }

  async release(leases: readonly Lease[]): Promise<void> {
    const { server } = await this.#open()
    const release = (batch: readonly Lease[]) =>
      releaseScript.runBuffer(
        server.client,
        this.#leases(batch),
        batch.map(({ token }) => token),
      )
    await Promise.all(inBatches(leases, server.mostKeys).map(release))
  }

  async invalidate({ keys, tags }: Invalidation): Promise<void> {
    const { server } = await this.#open()
    for (const key of keys) this.#link.writes.note(key)
    for (const tag of tags) this.#link.writes.believe(tag, '')
    const parts =
      keys.length + tags.length <= mostTold
        ? [{ keys, tags }]
        : [
            ...inBatches(keys, mostTold).map((keys) => ({ keys, tags: [] })),
            ...inBatches(tags, mostTold).map((tags) => ({ keys: [], tags })),
          ]
    await Promise.all(parts.map((part) => this.#invalidate(server, part)))
  }

  async epochs(tags: readonly string[]): Promise<readonly (string | null)[]> {
    const { server } = await this.#open()
    const stored = await server.getAll(tags.map((tag) => this.#keys.tag(tag)))
    const epochs = stored.map((epoch) => epoch && String(epoch))
    this.#believe(tags, epochs)
    return epochs
  }

  async close(): Promise<void> {
    // Not waited for: a connection that is still being made ends when it is.
    this.#server.then(({ client }) => client.disconnect()).catch(() => {})
  }

  async #open(): Promise<{ readonly server: RedisServer; readonly incarnation: string }> {
    const server = await this.#server
    return { server, incarnation: await server.incarnation() }
  }

  async #read(server: RedisServer, keys: readonly string[]): Promise<readonly (Buffer | null)[]> {
    const names = keys.map((key) => this.#keys.record(key))
    const records = await server.getAll(names, this.#sizes.mostAtOnce)
    this.#sizes.saw(records)
    return records
  }

  async #readOrClaim(
    server: RedisServer,
    claims: readonly Claim[],
    ask: (claims: readonly Claim[]) => Promise<Claims>,
  ): Promise<Claims> {
    const keys = claims.map(({ key }) => key)
    const found = (await this.#read(server, keys)).map((record): Claimed => ({ record, isGranted: false }))
    this.#sawHits(found)
    const missing = claims.filter((_, index) => found[index]!.record === null)
    if (missing.length === 0) return { claimed: found, epochs: [] }
    const answers = (await ask(missing)).claimed.values()
    return {
      claimed: found.map((here) => (here.record === null ? answers.next().value! : here)),
      epochs: [],
    }
  }

  async #claim(
    server: RedisServer,
    wanted: { readonly claims: readonly Claim[]; readonly tags: readonly string[] },
    how: ClaimHow,
  ): Promise<Claims> {
    const answer = await claimAll(server, this.#keys, wanted, how)
    this.#believe(wanted.tags, answer.epochs)
    return answer
  }

  async #invalidate(server: RedisServer, { keys, tags }: Invalidation): Promise<void> {
    const { client, channel, isCluster } = server
    const leases = keys.map((key) => ({ key }))
    const names = [
      ...this.#records(leases),
      ...this.#leases(leases),
      ...tags.map((tag) => this.#keys.tag(tag)),
    ]
    if (names.length === 0) return
    const message = this.#link.message({ keys, tags })
    const isInOnePlace = !isCluster || keys.length + tags.length === 1
    if (isInOnePlace) return void (await invalidateScript.runBuffer(client, names, [channel, message]))
    // Who hears it must find nothing of it anywhere.
    await server.unlinkAll(names)
    await client.call('publish', channel, message)
  }

  #records(items: readonly { readonly key: string }[]): string[] {
    return items.map(({ key }) => this.#keys.record(key))
  }

  #leases(items: readonly { readonly key: string }[]): string[] {
    return items.map(({ key }) => this.#keys.lease(key))
  }

  #believe(tags: readonly string[], epochs: readonly (string | null)[]): void {
    for (let index = 0; index < tags.length; index++) {
      this.#link.writes.believe(tags[index]!, epochs[index] ?? '')
    }
  }

  #sawHits(claimed: readonly Claimed[]): void {
    if (claimed.length === 0) return
    const hits = claimed.filter(({ record }) => record !== null).length
    // A full batch says half of it.
    this.#hitShare += (hits / claimed.length - this.#hitShare) * Math.min(0.5, claimed.length / 128)
  }
}
