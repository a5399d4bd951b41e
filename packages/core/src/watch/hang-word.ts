/**
 * What the watchdog of a worker says, each as one line of JSON: from half the time that makes a hang, again and
 * again, that the event loop stands still and it will tell more; then, if that goes on, where.
 */
export type LastWord = { readonly isUneasy: true } | HangWord

export interface HangWord {
  readonly busyMs: number
  /** How much of that it waited for a CPU, which others had; in milliseconds. */
  readonly cpuWaitMs: number
  /** What runs, innermost first; empty when it does not answer: as a rule it is in a call outside JavaScript. */
  readonly frames: readonly StackFrame[]
}

export interface StackFrame {
  readonly function: string
  /** A path, or `node:internal/...`. */
  readonly file: string
  readonly line: number
}

/** The file descriptor of a worker that leads to its supervisor without the event loop's help. */
export const lastWordsFd = 4

/** `busy for 1.6 s in fibonacci (/srv/app/report.js:12), called from ...` */
export function describeHang({ busyMs, cpuWaitMs, frames }: HangWord): string {
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`
  const waiting = cpuWaitMs > busyMs / 4 ? ` (${seconds(cpuWaitMs)} of it waiting for a CPU)` : ''
  const busy = `busy for ${seconds(busyMs)}${waiting}`
  const [innermost, ...callers] = tellingFrames(frames)
  if (!innermost)
    return `${busy} in a call that cannot be interrupted, such as a synchronous one of the system`
  return [
    `${busy} in ${display(innermost)}`,
    ...callers.map((frame) => `called from ${display(frame)}`),
  ].join(', ')
}

/** Where the loop is, and then the app's own way to it: a package's and Node's own frames tell little. */
function tellingFrames(frames: readonly StackFrame[]): StackFrame[] {
  const outsideNode = frames.filter(({ file }) => !file.startsWith('node:'))
  const innermost = outsideNode[0] ?? frames[0]
  if (!innermost) return []
  const callers = outsideNode.slice(1).filter(({ file }) => !/[\\/]node_modules[\\/]/.test(file))
  const withoutRecursion = [innermost, ...callers].filter(
    (frame, index, all) => index === 0 || display(frame) !== display(all[index - 1]!),
  )
  return withoutRecursion.slice(0, mostFrames)
}

const mostFrames = 4

function display({ function: name, file, line }: StackFrame): string {
  return `${name} (${file}:${line})`
}
