import { spawn } from 'node:child_process'

export type Outcome = { code: number | null; output: string; stdout: string }

export type ProgramOptions = {
  cwd?: string | undefined
  env?: NodeJS.ProcessEnv | undefined
  /** Ends the program after this time, as a failure. Default: never. */
  timeoutMs?: number | undefined
}

/** Runs a program to its end and keeps what it printed: `output` is both streams as they came. */
export function run(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Outcome> {
  const { cwd, env = process.env, timeoutMs = 0 } = options
  // On Windows npm's programs are .cmd files, which only a shell can start.
  const shell = process.platform === 'win32'
  const child = spawn(program, args, {
    cwd,
    env,
    shell,
    timeout: timeoutMs,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, output: error.message, stdout }))
    child.once('close', (code) => resolve({ code, output, stdout }))
  })
}

/** As `run`, for a program that must succeed: throws with all that it printed if it does not. */
export async function mustRun(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<string> {
  const { code, output, stdout } = await run(program, args, options)
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}\n${output}`)
  return stdout
}
