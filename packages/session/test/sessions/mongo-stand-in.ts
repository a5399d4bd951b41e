import type { MongoClient } from 'mongodb'

interface Document {
  readonly _id: string
  readonly session: unknown
  readonly expires: Date
}

/**
 * The few methods of a collection that connect-mongo calls for a session, since no MongoDB is to be had for tests. It
 * keeps copies, dates as dates, as MongoDB does; and does not look at conditions other than the id and the end.
 */
class CollectionStandIn {
  readonly #documents = new Map<string, Document>()

  async createIndex(): Promise<void> {}

  async findOne({ _id }: { _id: string }): Promise<Document | null> {
    const found = this.#documents.get(_id)
    return found && found.expires > new Date() ? structuredClone(found) : null
  }

  async updateOne(
    { _id }: { _id: string },
    { $set }: { $set: Partial<Document> },
    { upsert = false } = {},
  ): Promise<{ matchedCount: number; upsertedCount: number }> {
    const found = this.#documents.get(_id)
    if (!found && !upsert) return { matchedCount: 0, upsertedCount: 0 }
    // What connect-mongo sets where it may add a document is all of it.
    this.#documents.set(_id, structuredClone({ ...found, ...$set }) as Document)
    return found ? { matchedCount: 1, upsertedCount: 0 } : { matchedCount: 0, upsertedCount: 1 }
  }

  async deleteOne({ _id }: { _id: string }): Promise<void> {
    this.#documents.delete(_id)
  }
}

/** A client with one collection, in memory. */
export function mongoStandIn(): MongoClient {
  const collection = new CollectionStandIn()
  const client = { db: () => ({ collection: () => collection }), close: async () => {} }
  // connect-mongo calls nothing else of it.
  return client as unknown as MongoClient
}
