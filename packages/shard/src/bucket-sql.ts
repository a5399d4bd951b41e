import type { KeyType } from './key.ts'

/**
 * The bucket of a key as a Postgres expression of type int, fit for `where`, `group by` and an expression
 * index. `expression` is SQL, most often a column's name: it goes in as it stands, so never user input.
 */
export function bucketSql(key: KeyType, buckets: number, expression: string): string {
  return `((${hashSql[key](expression)} & ${buckets - 1})::int)`
}

// Under a nondeterministic collation Postgres hashes a sort key instead of the bytes; "C" is always bytes.
const hashSql: Readonly<Record<KeyType, (expression: string) => string>> = {
  bigint: (expression) => `hashint8extended((${expression})::bigint, 0)`,
  uuid: (expression) => `hashtextextended((${expression})::uuid::text collate "C", 0)`,
  text: (expression) => `hashtextextended((${expression})::text collate "C", 0)`,
}
