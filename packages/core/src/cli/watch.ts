import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs'
import { join, relative } from 'node:path'
import type { Closeable } from '../closeable.ts'

export interface WatchOptions {
  /** Hears which file changed, when nothing more has changed for a moment; a path from the folder on. */
  readonly onChange: (file: string) => void
  readonly log: (line: string) => void
  /** An editor or a compiler writes in bursts: so long after the last change all are told as one. Default 100. */
  readonly quietMs?: number
}

/** What a server is made of, and not what it writes while it runs. */
const codeFile = /\.([cm]?[jt]s|[jt]sx|json|wasm|node)$|^\.env/

/**
 * Watches the code below a folder: not in `node_modules`, nor in folders whose names begin with a dot. Each
 * folder is watched, and not each file, so that a file that is replaced (as editors do) is still seen.
 */
export function watchCode(folder: string, options: WatchOptions): Closeable {
  return new CodeWatch(folder, options)
}

class CodeWatch implements Closeable {
  readonly #root: string
  readonly #options: WatchOptions
  readonly #watchers = new Map<string, FSWatcher>()
  #timer: NodeJS.Timeout | undefined
  #hasComplained = false

  constructor(root: string, options: WatchOptions) {
    this.#root = root
    this.#options = options
    this.#join(root)
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    for (const folder of this.#watchers.keys()) this.#leave(folder)
  }

  /** Watches the folder and those in it; again, if another one of its name was there before. */
  #join(folder: string): void {
    this.#leave(folder)
    try {
      const watcher = watch(folder, (_event, name) => this.#hear(folder, name))
      watcher.on('error', () => this.#leave(folder))
      this.#watchers.set(folder, watcher)
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (entry.isDirectory() && !isIgnored(entry.name)) this.#join(join(folder, entry.name))
      }
    } catch (failure) {
      this.#complain(folder, failure)
    }
  }

  #leave(folder: string): void {
    this.#watchers.get(folder)?.close()
    this.#watchers.delete(folder)
  }

  #hear(folder: string, name: string | null): void {
    if (name === null || isIgnored(name)) return
    const path = join(folder, name)
    if (isFolder(path)) this.#join(path)
    else if (!codeFile.test(name)) return
    clearTimeout(this.#timer)
    const tell = () => this.#options.onChange(relative(this.#root, path))
    this.#timer = setTimeout(tell, this.#options.quietMs ?? 100)
  }

  /** A folder that is gone already is no loss; anything else is, and once is enough to know. */
  #complain(folder: string, failure: unknown): void {
    const code = failure instanceof Error && 'code' in failure ? failure.code : failure
    if (code === 'ENOENT' || code === 'ENOTDIR' || this.#hasComplained) return
    this.#hasComplained = true
    const remedy = code === 'ENOSPC' ? '; raise the system limit fs.inotify.max_user_watches' : ''
    this.#options.log(`changes in ${folder} are not seen (${code})${remedy}`)
  }
}

function isIgnored(name: string): boolean {
  return name === 'node_modules' || (name.startsWith('.') && !name.startsWith('.env'))
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
