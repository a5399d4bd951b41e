import { getCallSites } from 'node:util'

/**
 * An app that closes the channel to its parent, as some do under another supervisor so that a process can end,
 * would cut this worker off from its sockets and from word of its supervisor's end: it is told, and kept from it.
 */
export function keepChannel(): void {
  const disconnect = process.disconnect?.bind(process)
  if (!disconnect) return
  let isTold = false
  process.disconnect = () => {
    // Node itself calls this method too, when the supervisor is gone.
    const caller = getCallSites(2, { sourceMap: false })[1]?.scriptName ?? ''
    if (caller === '' || caller.startsWith('node:')) return disconnect()
    if (isTold) return
    isTold = true
    console.error(
      'stepladder: process.disconnect() does nothing in a worker: its supervisor ends it when it is time',
    )
  }
}
