import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Environment } from './app.ts'

/** A folder of SQLite files per rung. */
export class SqliteFiles implements AsyncDisposable {
  readonly description = 'SQLite'
  readonly #folder: string

  private constructor(folder: string) {
    this.#folder = folder
  }

  static async open(): Promise<SqliteFiles> {
    await sweep()
    return new SqliteFiles(await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`)))
  }

  async template(): Promise<Environment> {
    return { AIRLINE_DATA: join(this.#folder, 'imported') }
  }

  async copyFor(rung: string): Promise<Environment> {
    const folder = join(this.#folder, rung)
    await cp(join(this.#folder, 'imported'), folder, { recursive: true })
    return { AIRLINE_DATA: folder }
  }

  async check(): Promise<void> {}

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true })
  }
}

const prefix = 'airline-demo-'

/** Removes what demos left behind that were killed. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : process.pid
    // Another demo may be sweeping the same folder.
    if (!isAlive(owner)) await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {})
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (failure) {
    // EPERM: it lives, and is another user's.
    return failure instanceof Error && 'code' in failure && failure.code === 'EPERM'
  }
}
