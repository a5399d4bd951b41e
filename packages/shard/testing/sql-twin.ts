import { bucketSql, createShards, type KeyType } from '@stepladder/shard'
import { expect, test } from 'vitest'

/** A database that is to find the same bucket for a key as the application does. */
export interface SqlTwin {
  /** Runs one query and returns its rows. */
  query(sql: string): Promise<readonly unknown[]>
  close(): Promise<void>
}

/**
 * The contract of a database whose rows are looked up by bucket in SQL: run it against your own server, and
 * under the collation of your own database, before you trust `bucketSql` there. Needs vitest.
 */
export function testSqlTwin(name: string, open: () => SqlTwin | Promise<SqlTwin>): void {
  for (const type of ['bigint', 'uuid', 'text'] as const) {
    test(`${name} finds the bucket of a ${type} key where the application does`, async () => {
      const twin = await open()
      try {
        const keys = sampleKeys[type]()
        const shards = createShards({ shards: { only: nowhere }, key: type, buckets: 16_384 })
        const rows = await twin.query(`
          select ${bucketSql(type, 16_384, `key::${type}`)} as bucket
          from json_array_elements_text('${JSON.stringify(keys).replaceAll("'", "''")}'::json)
            with ordinality as sample(key, place)
          order by place`)

        expect(rows).toEqual(keys.map((key) => ({ bucket: shards.bucketOf(key) })))
      } finally {
        await twin.close()
      }
    })
  }
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
