import { Session } from 'node:inspector'
import { fileURLToPath } from 'node:url'
import type { StackFrame } from './hang-word.ts'

/**
 * What the main thread runs at this moment, innermost first; asked by another thread. An endless loop is
 * interrupted for some milliseconds; during a call outside JavaScript it resolves only when that has returned.
 * Empty where Node allows no inspector.
 */
export function mainThreadStack(): Promise<StackFrame[]> {
  return new Promise((resolve) => {
    const files = new Map<string, string>()
    const session = new Session()
    try {
      session.connectToMainThread()
    } catch {
      return resolve([])
    }
    session.on('Debugger.scriptParsed', ({ params }) => files.set(params.scriptId, params.url))
    session.once('Debugger.paused', ({ params }) => {
      session.post('Debugger.resume', () => session.disconnect())
      const frames = params.callFrames.map(({ functionName, location }) => ({
        function: functionName || '(anonymous)',
        file: pathOf(files.get(location.scriptId) ?? ''),
        line: location.lineNumber + 1,
      }))
      resolve(frames)
    })
    session.post('Debugger.enable')
    session.post('Debugger.pause')
  })
}

function pathOf(url: string): string {
  return url.startsWith('file:') ? fileURLToPath(url) : url
}
