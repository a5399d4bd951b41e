/**
 * The documentation is true: every fenced ts or js block type-checks as it stands, a block that begins with
 * `// run` also runs, and every relative link leads somewhere. Problems name the line of the Markdown.
 */
import { existsSync, globSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { checkBlocks } from './doc-blocks.ts'
import { Markdown } from './markdown.ts'
import { type Problem, reportProblems } from './problem.ts'

const root = resolve(import.meta.dirname, '..')
const pages = ['*.md', 'packages/*/README.md', 'docs/**/*.md', 'examples/**/*.md', 'bench/**/*.md']

if (import.meta.main) {
  const paths = globSync(pages, { cwd: root, exclude: ['**/node_modules/**', '**/dist/**'] }).sort()
  const { problems, blocks } = await checkPages(root, paths)
  reportProblems(problems)
  console.log(`${paths.length} pages, ${blocks} blocks`)
}

/** Checks the pages below `folder`, which must be inside the repository so that imports resolve. */
export async function checkPages(
  folder: string,
  paths: readonly string[],
): Promise<{ problems: Problem[]; blocks: number }> {
  const markdowns = paths.map((path) => new Markdown(join(folder, path)))
  const broken = markdowns.flatMap((markdown) => brokenLinks(folder, markdown))
  const { problems, checked } = await checkBlocks(folder, markdowns)
  return { problems: [...broken, ...problems], blocks: checked }
}

function brokenLinks(folder: string, markdown: Markdown): Problem[] {
  const file = relative(folder, markdown.path)
  return markdown.links().flatMap(({ target, line }): Problem[] => {
    if (/^[a-z][a-z\d+.-]*:/i.test(target)) return []
    const [path = '', anchor] = decodeURIComponent(target).split('#')
    const linked = path === '' ? markdown.path : resolve(dirname(markdown.path), path)
    if (!existsSync(linked)) return [{ file, line, message: `links to ${target}, which does not exist` }]
    if (!anchor || !linked.endsWith('.md') || !statSync(linked).isFile()) return []
    const anchors = new Markdown(linked).headings().map((heading) => heading.anchor)
    if (anchors.includes(anchor)) return []
    return [{ file, line, message: `links to ${target}, which has no such heading` }]
  })
}
