import { inBatches } from './redis-batches.ts'
import type { RedisKeys } from './redis-keys.ts'
import { claimScript } from './redis-scripts.ts'
import type { RedisServer } from './redis-server.ts'
import type { Claim, Claimed, Claims, ClaimTimes } from './store.ts'

export interface ClaimHow extends ClaimTimes {
  /** How the names of epochs begin that have to be made up. */
  readonly newEpochs: string
}

/** Claims by the script: in one command on a single server; on a cluster the tags first, each in its place. */
export async function claimAll(
  server: RedisServer,
  keys: RedisKeys,
  { claims, tags }: { readonly claims: readonly Claim[]; readonly tags: readonly string[] },
  how: ClaimHow,
): Promise<Claims> {
  const ask = (claims: readonly Claim[], tags: readonly string[], newEpochs = how.newEpochs) =>
    claimTogether(server, keys, { claims, tags }, { ...how, newEpochs })
  const batches = inBatches(claims, server.mostKeys)
  if (server.isCluster) {
    const settled = await Promise.all(tags.map((tag, index) => ask([], [tag], `${how.newEpochs}.${index}`)))
    const answers = await Promise.all(batches.map((batch) => ask(batch, [])))
    return {
      claimed: answers.flatMap(({ claimed }) => claimed),
      epochs: settled.flatMap(({ epochs }) => epochs),
    }
  }
  // The connection keeps their order, so that the tags are asked before any lease is granted.
  const [first = [], ...others] = batches
  const [answer, ...more] = await Promise.all([ask(first, tags), ...others.map((batch) => ask(batch, []))])
  return { claimed: [answer, ...more].flatMap(({ claimed }) => claimed), epochs: answer.epochs }
}

async function claimTogether(
  { client }: RedisServer,
  keys: RedisKeys,
  { claims, tags }: { readonly claims: readonly Claim[]; readonly tags: readonly string[] },
  { leaseMs, epochsMs, newEpochs }: ClaimHow,
): Promise<Claims> {
  const count = claims.length
  if (count === 0 && tags.length === 0) return { claimed: [], epochs: [] }
  const marks = claims.map(({ isForced, isTaking }) => (isTaking ? '2' : isForced ? '1' : '0')).join('')
  const names = [
    ...claims.map(({ key }) => keys.record(key)),
    ...claims.map(({ key }) => keys.lease(key)),
    ...tags.map((tag) => keys.tag(tag)),
  ]
  const times = [leaseMs, epochsMs, Math.ceil(epochsMs * 1.25)]
  const args = [count, marks, ...times, newEpochs, ...claims.map(({ token }) => token)]
  // As the script answers.
  const answer = (await claimScript.runBuffer(client, names, args)) as (Buffer | null)[]
  const granted = count === 0 ? '' : String(answer[count])
  const claimed = claims.map((_, index): Claimed => {
    return { record: answer[index] ?? null, isGranted: granted[index] === '1' }
  })
  return { claimed, epochs: answer.slice(count === 0 ? 0 : count + 1).map(String) }
}
