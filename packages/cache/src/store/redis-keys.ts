const prefix = 'stepladder:cache:v1:'

/**
 * The names of one cache in Redis. A record and its lease share a hash tag, so that one script may touch both
 * on a cluster. No name of one kind equals one of another: a record ends with the brace.
 */
export class RedisKeys {
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }

  record(key: string): string {
    return `${prefix}{${this.#name}:${key}}`
  }

  lease(key: string): string {
    return `${this.record(key)}:l`
  }

  tag(tag: string): string {
    return `${this.record(tag)}:t`
  }

  channel(): string {
    return `${prefix}{${this.#name}}:bus`
  }
}
