/**
 * Every stable error code has its part in docs/reference/errors.md, under the anchor that
 * `StepladderError.help` links to, and no part stands there for an error that is gone.
 */
import { globSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Markdown } from './markdown.ts'
import { type Problem, reportProblems } from './problem.ts'
import { SourceFile } from './source-file.ts'

const page = 'docs/reference/errors.md'

if (import.meta.main) reportProblems(findErrorPageProblems(resolve(import.meta.dirname, '..')))

/** Codes without a part, and parts without a code. */
export function findErrorPageProblems(root: string): Problem[] {
  const paths = globSync('packages/*/{src,testing}/**/*.ts', { cwd: root }).sort()
  const thrown = paths.flatMap((file) =>
    new SourceFile(join(root, file)).errorCodes().map((error) => ({ ...error, file })),
  )
  const parts = new Markdown(join(root, page))
    .headings()
    .filter((heading) => /^`?[A-Z_]+`?$/.test(heading.text))

  const anchors = new Set(parts.map((part) => part.anchor))
  const codes = new Set(thrown.map((error) => error.code.toLowerCase()))
  const missing = thrown.filter((error) => !anchors.has(error.code.toLowerCase()))
  const stale = parts.filter((part) => !codes.has(part.anchor))
  return [
    ...missing.map(({ file, line, code }) => ({ file, line, message: `${code} has no part in ${page}` })),
    ...stale.map(({ line, text }) => ({ file: page, line, message: `nothing throws ${text} any more` })),
  ]
}
