/** What a check found wrong, at a place an editor can open. */
export type Problem = { file: string; line: number; message: string }

/** Prints the problems and lets the process end with 1 if there is any. */
export function reportProblems(problems: readonly Problem[]): void {
  for (const { file, line, message } of problems) console.error(`${file}:${line} ${message}`)
  if (problems.length > 0) process.exitCode = 1
}
