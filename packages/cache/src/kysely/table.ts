/** A table as a statement names it. Lower case: some databases take `Flights` and `flights` for the same one. */
export interface Table {
  readonly schema: string | undefined
  readonly name: string
}

/** `'flights'` or `'ops.flights'`. */
export function parseTable(text: string): Table {
  const [first = '', ...rest] = text.toLowerCase().split('.')
  return rest.length === 0 ? { schema: undefined, name: first } : { schema: first, name: rest.join('.') }
}

/** As `parseTable` reads it. */
export function tableText({ schema, name }: Table): string {
  return schema === undefined ? name : `${schema}.${name}`
}

/** A name without a schema may mean the table of any schema. */
export function mayBeSame(one: Table, other: Table): boolean {
  return one.name === other.name && (!one.schema || !other.schema || one.schema === other.schema)
}

/**
 * What a value is tagged with that was read from this table. A name without a schema may mean the table of any
 * schema, so a write to either must reach the other: each kind of name has its tag, and who names a schema
 * carries one more that stands for "some schema".
 */
export function tagsOfRead(database: string, { schema, name }: Table): string[] {
  const tag = tagger(database)
  return schema === undefined ? [tag(name)] : [tag(`${schema}.${name}`), tag(`*.${name}`)]
}

/** What is invalidated by a write to this table. */
export function tagsOfWrite(database: string, { schema, name }: Table): string[] {
  const tag = tagger(database)
  return schema === undefined ? [tag(name), tag(`*.${name}`)] : [tag(`${schema}.${name}`), tag(name)]
}

/**
 * What to invalidate where tables were written past the watched instance, by a program of another language or by
 * hand: `cache.invalidate({ tags: tagsOfTables(['flights', 'ops.seats']) })`. `database` as in `invalidateOnWrite`.
 */
export function tagsOfTables(tables: readonly string[], database = ''): string[] {
  return tables.flatMap((table) => tagsOfWrite(database, parseTable(table)))
}

function tagger(database: string): (table: string) => string {
  const prefix = database === '' ? 'table:' : `table:${database}/`
  return (table) => prefix + table
}
