import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, type NodeProcess, spawnNode } from '@stepladder/core/testing'

const cli = fileURLToPath(new URL('../bin/stepladder.js', import.meta.url))

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly output: string
}

/** A folder to work in, with control sockets of its own: no cluster that runs elsewhere is seen from it. */
export interface CommandLine extends AsyncDisposable {
  readonly folder: string
  /** Below which the control sockets are. */
  readonly temp: string
  write(file: string, text: string): Promise<string>
  read(file: string): Promise<string>
  /** Runs a command to its end. */
  stepladder(args: readonly string[], cwd?: string): Promise<Ended>
  /** Starts a cluster, and waits until it says so. */
  run(args: readonly string[], options?: RunOptions): Promise<NodeProcess & { readonly port: number }>
}

export interface RunOptions {
  /** What it says when it is up. Default: that all workers serve. */
  readonly up?: RegExp
  /** What is started. Default: the command line. */
  readonly program?: string
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

export async function openCommandLine(): Promise<CommandLine> {
  // Processes tell the real path of where they are.
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'sl-')))
  const temp = join(folder, '.tmp')
  await mkdir(temp)
  // As a supervisor makes it: a command that finds none here would look in the system's folder.
  await mkdir(join(temp, `stepladder-${process.getuid?.() ?? -1}`), { mode: 0o700 })
  const running: NodeProcess[] = []
  const spawn = (program: string, args: readonly string[], cwd: string, env = {}) => {
    const execArgv = ['--conditions=@stepladder/source']
    const child = spawnNode(program, { args, cwd, execArgv, env: { ...env, TMPDIR: temp } })
    running.push(child)
    return child
  }
  return {
    folder,
    temp,
    async write(file, text) {
      await writeFile(join(folder, file), text)
      return join(folder, file)
    },
    read: (file) => readFile(join(folder, file), 'utf8'),
    async stepladder(args, cwd = folder) {
      const command = spawn(cli, args, cwd)
      const { code } = await command.exited
      return { code, output: command.output }
    },
    async run(args, { up = /(\d+) of \1 workers serve/, program = cli, cwd = folder, env = {} } = {}) {
      const port = await freePort()
      const child = spawn(program, program === cli ? ['run', ...args] : args, cwd, {
        PORT: String(port),
        ...env,
      })
      await child.waitForOutput(up, 30_000)
      return Object.assign(child, { port })
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((child) => child.stop()))
      await rm(folder, { recursive: true })
    },
  }
}
