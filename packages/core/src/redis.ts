/** What Stepladder needs of a Redis client. ioredis 5 and 6 fit, `Redis` and `Cluster` alike. */
export interface RedisClient {
  readonly status: string
  get(key: string): Promise<string | null>
  // In small letters: ioredis before 5.10 finds no keys in other commands, puts no prefix before them and knows no node for them.
  call(command: string, ...args: (string | Buffer | number)[]): Promise<unknown>
  // With Buffers in the answer where texts would be; `callBuffer` loses its command where ioredis pipelines by itself.
  getBuffer(key: string): Promise<Buffer | null>
  mgetBuffer(...keys: string[]): Promise<(Buffer | null)[]>
  duplicate(...args: never[]): RedisClient
  connect(): Promise<void>
  /** Makes the connection anew if so told; else it ends for good. */
  disconnect(reconnect?: boolean): void
  quit(): Promise<unknown>
  on(event: string, listener: (...args: unknown[]) => void): unknown
  off(event: string, listener: (...args: unknown[]) => void): unknown
}

/** A URL such as `redis://127.0.0.1:6379`, or a client that the app already has. */
export type RedisOption = string | RedisClient
