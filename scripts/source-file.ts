import { readFileSync } from 'node:fs'
import { type Class, type ParseResult, parseSync, Visitor } from 'oxc-parser'

/** One mention of another file or package: `import`, `export ... from`, `import()` or `import('x').Type`. */
export type Import = { specifier: string; line: number; typeOnly: boolean; star: boolean }

/** What the checks want to know of one TypeScript file, read once from its syntax tree. */
export class SourceFile {
  readonly path: string
  readonly imports: readonly Import[]
  readonly #text: string
  readonly #parsed: ParseResult

  constructor(path: string) {
    this.path = path
    this.#text = readFileSync(path, 'utf8')
    this.#parsed = parseSync(path, this.#text)
    const [error] = this.#parsed.errors
    if (error) throw new Error(`${path}: ${error.message}`)
    this.imports = [...this.#staticImports(), ...this.#exportsFrom(), ...this.#dynamicImports()]
  }

  /** The classes of the file that name a stable error code: `readonly code = 'SHARD_UNAVAILABLE'`. */
  errorCodes(): { code: string; line: number }[] {
    const found: { code: string; line: number }[] = []
    const visit = (declaration: Class) => {
      for (const member of declaration.body.body) {
        if (member.type !== 'PropertyDefinition' || member.key.type !== 'Identifier') continue
        if (member.key.name !== 'code' || member.value?.type !== 'Literal') continue
        found.push({ code: String(member.value.value), line: this.#lineAt(member.start) })
      }
    }
    new Visitor({
      ClassDeclaration: (declaration) => {
        if (declaration.superClass) visit(declaration)
      },
    }).visit(this.#parsed.program)
    return found
  }

  #staticImports(): Import[] {
    return this.#parsed.module.staticImports.map(({ moduleRequest, entries, start }) => ({
      specifier: moduleRequest.value,
      line: this.#lineAt(start),
      typeOnly: entries.length > 0 && entries.every((entry) => entry.isType),
      star: false,
    }))
  }

  #exportsFrom(): Import[] {
    const entries = this.#parsed.module.staticExports.flatMap((statement) => statement.entries)
    return entries.flatMap(({ moduleRequest, importName, isType, start }) =>
      moduleRequest
        ? {
            specifier: moduleRequest.value,
            line: this.#lineAt(start),
            typeOnly: isType,
            star: importName.kind === 'All' || importName.kind === 'AllButDefault',
          }
        : [],
    )
  }

  #dynamicImports(): Import[] {
    const found: Import[] = []
    const add = (source: { type: string; value?: unknown }, start: number, typeOnly: boolean) => {
      if (source.type !== 'Literal') return
      found.push({ specifier: String(source.value), line: this.#lineAt(start), typeOnly, star: false })
    }
    new Visitor({
      ImportExpression: ({ source, start }) => add(source, start, false),
      TSImportType: ({ source, start }) => add(source, start, true),
      CallExpression: ({ callee, arguments: [first], start }) => {
        if (callee.type === 'Identifier' && callee.name === 'require' && first) add(first, start, false)
      },
    }).visit(this.#parsed.program)
    return found
  }

  #lineAt(offset: number): number {
    return this.#text.slice(0, offset).split('\n').length
  }
}
