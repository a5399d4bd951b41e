import { type Kysely, sql } from 'kysely'
import { bookingShards, databaseUrl, openDatabase } from '../database/open-database.ts'
import type { Tables } from '../database/tables.ts'
import type { Environment } from './app.ts'
import { DemoError } from './demo-error.ts'

/** A set of databases per rung on one Postgres, copied from a set that was filled once; all dropped at the end. */
export class PostgresTemplates implements AsyncDisposable {
  readonly description = 'Postgres'
  readonly #url: string
  readonly #prefix: string
  readonly #admin: Kysely<Tables>
  readonly #created: string[] = []

  constructor(url: string, prefix: string) {
    this.#url = url
    this.#prefix = prefix
    this.#admin = openDatabase({ env: { DATABASE_URL: url } })
  }

  async template(): Promise<Environment> {
    for (const part of parts) await this.#create(`${this.#prefix}_imported${part}`)
    return this.#environment('imported')
  }

  async copyFor(rung: string): Promise<Environment> {
    const set = rung.replaceAll('-', '_')
    for (const part of parts) {
      await this.#create(`${this.#prefix}_${set}${part}`, `${this.#prefix}_imported${part}`)
    }
    return this.#environment(set)
  }

  async check(): Promise<void> {
    await sql`select 1`.execute(this.#admin).catch((cause: Error) => {
      throw new DemoError(`Postgres does not answer any more: ${cause.message}`, { cause })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#created) {
      // A server that is gone has nothing left to drop.
      await sql`drop database if exists ${sql.id(name)} with (force)`.execute(this.#admin).catch(() => {})
    }
    await this.#admin.destroy()
  }

  async #create(name: string, template = 'template0'): Promise<void> {
    await sql`create database ${sql.id(name)} template ${sql.id(template)}`
      .execute(this.#admin)
      .catch((cause: Error) => {
        throw new DemoError(`The database ${name} cannot be made: ${cause.message}`, { cause })
      })
    this.#created.push(name)
  }

  #environment(set: string): Environment {
    const url = new URL(this.#url)
    url.pathname = `/${this.#prefix}_${set}`
    return { DATABASE_URL: url.href }
  }
}

/** The airline's own database and its shards: what `databaseUrl` puts behind the name. */
const parts = ['airline', ...bookingShards].map((name) =>
  new URL(databaseUrl('postgres://host/', name)).pathname.slice(1),
)
