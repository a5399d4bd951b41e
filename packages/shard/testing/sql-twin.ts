import { equal } from 'node:assert/strict'
import { bucketSql } from '../src/bucket-sql.ts'
import type { KeyType } from '../src/key.ts'
import { createShards } from '../src/shards.ts'

/** A database that is to find the same bucket for a key as the application does. */
export interface SqlTwin {
  /** Runs one query and returns its rows. */
  query(sql: string): Promise<readonly Record<string, unknown>[]>
  close(): Promise<void>
}

export interface SqlTwinTools {
  /** The `test` of the runner in use: vitest, Jest and node:test all fit. */
  readonly test: (title: string, run: () => Promise<void>) => unknown
}

/**
 * The contract of a database in which rows are looked up by bucket: run it against a server like your own
 * before you trust `bucketSql` there. It asks for thousands of random keys of each type and writes nothing.
 */
export function testSqlTwin(
  name: string,
  open: () => SqlTwin | Promise<SqlTwin>,
  { test }: SqlTwinTools,
): void {
  for (const type of ['bigint', 'uuid', 'text'] as const) {
    test(`${name} finds the bucket of a ${type} key where the application does`, async () => {
      const keys = sampleKeys[type]()
      const twin = await open()
      const rows = await twin.query(bucketsQuery(type, keys)).finally(() => twin.close())

      const shards = createShards({ shards: { only: nowhere }, key: type, buckets })
      const asked = keys.map((key, place) => ({
        key,
        here: shards.bucketOf(key),
        there: rows[place]?.bucket,
      }))
      const wrong = asked.filter(({ here, there }) => here !== there)
      // Not a diff of thousands of keys: that takes half a minute to write.
      const example = JSON.stringify(wrong[0])
      equal(wrong.length, 0, `${wrong.length} of ${keys.length} keys have another bucket there: ${example}`)
    })
  }
}

// As many as there can be: whoever agrees on these agrees on fewer.
const buckets = 16_384

function bucketsQuery(type: KeyType, keys: readonly string[]): string {
  const literal = JSON.stringify(keys).replaceAll("'", "''")
  return `
    select ${bucketSql(type, buckets, `key::${type}`)} as bucket
    from json_array_elements_text('${literal}'::json) with ordinality as sample(key, place)
    order by place`
}

const nowhere = { destroy: async () => {} }

const sampleKeys: Record<KeyType, () => string[]> = {
  bigint: () => {
    const edges = [0n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n].flatMap((n) => [n - 1n, n, -n, ~n])
    const random = Array.from({ length: 3_000 }, () => BigInt.asIntN(64, BigInt(`0x${randomHex(16)}`)))
    return [...edges, ...random].map(String)
  },
  uuid: () =>
    Array.from({ length: 3_000 }, (_, index) => {
      const id = randomHex(32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
      return index % 2 === 0 ? id : id.toUpperCase()
    }),
  text: () => {
    const edges = ['', ' ', "O'Hara", 'a\\b', 'Zoë', 'Ω', '漢字', '🪜', 'x'.repeat(255), 'é'.repeat(400)]
    return [...edges, ...Array.from({ length: 5_000 }, (_, index) => randomText(index % 80))]
  },
}

function randomHex(digits: number): string {
  return Array.from({ length: digits }, () => Math.floor(Math.random() * 16).toString(16)).join('')
}

/** Characters of one to four bytes in UTF-8, each length as likely as the others. */
function randomText(length: number): string {
  const ranges = [
    [0x20, 0x7f],
    [0x80, 0x800],
    [0x800, 0xd800],
    [0x1_0000, 0x11_0000],
  ] as const
  return Array.from({ length }, () => {
    const [low, high] = ranges[Math.floor(Math.random() * ranges.length)]!
    return String.fromCodePoint(low + Math.floor(Math.random() * (high - low)))
  }).join('')
}
