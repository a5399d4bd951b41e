import { execFile } from 'node:child_process'
import type { ServerUser } from './server-user.ts'

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly cwd?: string | undefined
  readonly user?: ServerUser | undefined
}

/** Runs a program to its end, for at most two minutes: what it wrote to stdout. Rejects with what it wrote to stderr. */
export function runProgram(
  program: string,
  args: readonly string[],
  { env, cwd, user }: RunOptions = {},
): Promise<string> {
  const limits = { timeout: 120_000, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 ** 2 } as const
  return new Promise((resolve, reject) => {
    execFile(program, args, { env, cwd, ...user, ...limits }, (failure, stdout, stderr) => {
      if (!failure) return resolve(stdout)
      const why = stderr.trim() || failure.message
      reject(new Error(`${program} ${args[0] ?? ''} failed: ${why}`, { cause: failure }))
    })
  })
}
