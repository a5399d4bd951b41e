/** What a statement of raw SQL does to the transaction it is sent in. */
export type Control = 'begin' | 'commit' | 'rollback' | 'savepoint'

const controls: Readonly<Record<string, Control>> = {
  ...{
    begin: 'begin',
    start: 'begin',
    commit: 'commit',
    end: 'commit',
    rollback: 'rollback',
    abort: 'rollback',
  },
  ...{ savepoint: 'savepoint', release: 'savepoint' },
}

/** Undefined for a statement that does nothing to it. */
export function controlOf(text: string): Control | undefined {
  const plain = withoutComments(text)
  const control = isOne(plain) ? controls[firstWord(plain)] : undefined
  return control === 'rollback' && /\bto\b/i.test(plain) ? 'savepoint' : control
}

/** Whether the end of a transaction is the beginning of the next: `commit and chain`. */
export function isChained(text: string): boolean {
  return /\band\s+chain\b/i.test(withoutComments(text))
}

const reading: ReadonlySet<string> = new Set([
  ...[
    'select',
    'with',
    'values',
    'table',
    'show',
    'explain',
    'describe',
    'desc',
    'pragma',
    'set',
    'reset',
    'use',
  ],
  ...[
    'listen',
    'unlisten',
    'notify',
    'analyze',
    'vacuum',
    'checkpoint',
    'discard',
    'lock',
    'fetch',
    'close',
    '',
  ],
])

/** Whether a whole statement of raw SQL changes no table, but for what functions do that it calls. */
export function isReading(text: string): boolean {
  const plain = withoutComments(text)
  return isOne(plain) && reading.has(firstWord(plain)) && !mayWrite(text) && !/\binto\b/i.test(plain)
}

// `for update`, `on duplicate key update` and `do update` belong to statements that are seen as they are. MySQL has
// `delete f, g from flights f ...`.
const writes =
  /\b(?:insert|replace|merge)\s+into\b|\bdelete\s+(?:[\w.`"*]+[\s,]+)*?from\b|\btruncate\b|(?<!\b(?:for|for\s+no\s+key|key|do)\s+)\bupdate\s+[^\s)]/i

/** Whether there is a statement in this text that writes. Rather once too often: quoted text counts. */
export function mayWrite(text: string): boolean {
  // What looks like a comment may be a quoted text, with a statement behind it.
  return writes.test(text) || writes.test(withoutComments(text))
}

/** Several statements in one text are not told apart. */
function isOne(text: string): boolean {
  return !/;\s*\S/.test(text)
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/--[^\n]*/g, ' ')
}

function firstWord(text: string): string {
  return /^[\s(;]*([a-z]*)/i.exec(text)?.[1]?.toLowerCase() ?? ''
}
