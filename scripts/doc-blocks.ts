import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import type { Block, Markdown } from './markdown.ts'
import type { Problem } from './problem.ts'
import { run } from './program.ts'

/** A block as a file of its own, with its code on the lines it has in the Markdown. */
type Snippet = { path: string; page: string; block: Block }

const root = resolve(import.meta.dirname, '..')
const languages = new Set(['ts', 'typescript', 'js', 'javascript', 'mjs', 'cjs', 'mts', 'cts'])
const runTimeoutMs = 30_000

/** Type-checks every ts and js block, and runs those that ask for it. */
export async function checkBlocks(
  folder: string,
  markdowns: readonly Markdown[],
): Promise<{ problems: Problem[]; checked: number }> {
  // Inside the repository, so that the blocks' imports resolve; git and the linters ignore it.
  const workshop = join(root, '.cache/docs', String(process.pid))
  try {
    const snippets = markdowns.flatMap((markdown) =>
      extract(workshop, relative(folder, markdown.path), markdown),
    )
    const switchedOff = snippets.flatMap(({ page, block }) => problemOfInfo(page, block))
    const mistyped = await Promise.all([
      typeCheck(workshop, 'typescript', snippets.filter(isTypeScript), {}),
      // A reader of JavaScript does not annotate parameters.
      typeCheck(
        workshop,
        'javascript',
        snippets.filter((snippet) => !isTypeScript(snippet)),
        {
          allowJs: true,
          checkJs: true,
          noImplicitAny: false,
        },
      ),
    ])
    const failed = await Promise.all(snippets.filter(asksToRun).map(runSnippet))
    return { problems: [switchedOff, mistyped, failed].flat(2), checked: snippets.length }
  } finally {
    rmSync(workshop, { recursive: true, force: true })
  }
}

function extract(workshop: string, page: string, { blocks }: Markdown): Snippet[] {
  const code = blocks.filter((block) => languages.has(block.language))
  return code.map((block) => {
    const path = join(workshop, `${page}.${block.line}.${endingOf(block)}`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, '\n'.repeat(block.line - 1) + block.code)
    return { path, page, block }
  })
}

function endingOf({ language, code }: Block): string {
  if (language.startsWith('t')) return 'mts'
  if (language.startsWith('j')) return /\brequire\(/.test(code) ? 'cjs' : 'mjs'
  return language
}

function isTypeScript({ path }: Snippet): boolean {
  return path.endsWith('ts')
}

function problemOfInfo(page: string, block: Block): Problem[] {
  if (block.info === '' && !block.code.includes('@ts-nocheck')) return []
  return [{ file: page, line: block.line - 1, message: 'a block cannot opt out of being checked' }]
}

async function typeCheck(
  workshop: string,
  name: string,
  snippets: readonly Snippet[],
  options: Record<string, boolean>,
): Promise<Problem[]> {
  if (snippets.length === 0) return []
  const project = join(workshop, `${name}.json`)
  const compilerOptions = {
    ...{ target: 'esnext', lib: ['esnext'], module: 'preserve', moduleDetection: 'force', noEmit: true },
    ...{ noUnusedLocals: false, isolatedDeclarations: false, erasableSyntaxOnly: false, ...options },
  }
  const files = snippets.map((snippet) => snippet.path)
  writeFileSync(
    project,
    JSON.stringify({ extends: join(root, 'tsconfig.base.json'), compilerOptions, files }),
  )
  const tsc = join(root, 'node_modules/.bin/tsc')
  const { code, output } = await run(tsc, ['-p', project, '--pretty', 'false'], { cwd: workshop })
  const problems = output.split('\n').flatMap((line): Problem[] => {
    const match = /^(.+)\.\d+\.[mc]?[jt]s\((\d+),\d+\): error (.+)$/.exec(line)
    return match ? [{ file: match[1]!, line: Number(match[2]), message: match[3]! }] : []
  })
  if (code !== 0 && problems.length === 0) throw new Error(`tsc failed:\n${output}`)
  return problems
}

function asksToRun({ block }: Snippet): boolean {
  return block.code.startsWith('// run')
}

async function runSnippet({ path, page, block }: Snippet): Promise<Problem[]> {
  const args = ['--conditions=@stepladder/source', '--disable-warning=ExperimentalWarning', path]
  const { code, output } = await run(process.execPath, args, { cwd: dirname(path), timeoutMs: runTimeoutMs })
  return code === 0 ? [] : [{ file: page, line: block.line, message: `ended with ${code}:\n${output}` }]
}
