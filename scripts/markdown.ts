import { readFileSync } from 'node:fs'

/** A fenced block: its language, what stands behind it, its code and the line of its first line of code. */
export type Block = { language: string; info: string; code: string; line: number }
export type Link = { target: string; line: number }
export type Heading = { text: string; depth: number; anchor: string; line: number }

/** What the checks want to know of one Markdown file. */
export class Markdown {
  readonly path: string
  readonly blocks: readonly Block[]
  readonly #prose: readonly string[]

  constructor(path: string) {
    this.path = path
    const { blocks, prose } = split(readFileSync(path, 'utf8').split(/\r?\n/))
    this.blocks = blocks
    this.#prose = prose
  }

  /** Inline links and images, and definitions of reference links. */
  links(): Link[] {
    return this.#prose.flatMap((text, index) => {
      const plain = text.replace(/`[^`]*`/g, '')
      const inline = [...plain.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g)]
      const defined = [...plain.matchAll(/^\s*\[[^\]]+\]:\s*(\S+)/g)]
      return [...inline, ...defined].map((match) => ({ target: match[1]!, line: index + 1 }))
    })
  }

  headings(): Heading[] {
    const seen = new Map<string, number>()
    return this.#prose.flatMap((line, index) => {
      const match = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line)
      if (!match) return []
      const slug = slugOf(match[2]!)
      const times = seen.get(slug) ?? 0
      seen.set(slug, times + 1)
      const anchor = times === 0 ? slug : `${slug}-${times}`
      return [{ text: match[2]!, depth: match[1]!.length, anchor, line: index + 1 }]
    })
  }
}

/** Prose keeps its line numbers: the lines of blocks are empty in it. */
function split(lines: readonly string[]): { blocks: Block[]; prose: string[] } {
  const blocks: Block[] = []
  const prose: string[] = []
  let open: { fence: string; indent: number; block: Block; code: string[] } | undefined

  lines.forEach((text, index) => {
    const fence = /^(\s*)(`{3,}|~{3,})\s*([\w-]*)\s*(.*)$/.exec(text)
    if (open) {
      if (fence && fence[2]!.startsWith(open.fence) && fence[3] === '' && fence[4] === '') {
        blocks.push({ ...open.block, code: open.code.join('\n') })
        open = undefined
      } else {
        open.code.push(text.slice(Math.min(open.indent, text.length - text.trimStart().length)))
      }
      prose.push('')
    } else if (fence) {
      const block = { language: fence[3]!, info: fence[4]!, code: '', line: index + 2 }
      open = { fence: fence[2]!, indent: fence[1]!.length, block, code: [] }
      prose.push('')
    } else {
      prose.push(text)
    }
  })
  return { blocks, prose }
}

/** The anchor that GitHub gives a heading. */
function slugOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
}
