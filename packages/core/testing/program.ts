/** A program and the environment to run it in. */
export interface Program {
  readonly path: string
  readonly env: NodeJS.ProcessEnv
}

/** The two programs that Postgres takes, and the environment to run them in. */
export interface PostgresPrograms {
  readonly postgres: string
  readonly initdb: string
  readonly env: NodeJS.ProcessEnv
}
