import type { Socket } from 'node:net'

export interface LineListener {
  /** In characters; a longer line is not heard. */
  readonly longest: number
  readonly hear: (line: string) => void
  readonly tooLong: () => void
}

/** Hears each line that a socket brings. */
export function onLines(socket: Socket, { longest, hear, tooLong }: LineListener): void {
  let rest = ''
  let isTooLong = false
  socket.setEncoding('utf8').on('data', (text: string) => {
    if (isTooLong) return
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) hear(line)
    isTooLong = rest.length > longest
    if (isTooLong) tooLong()
  })
}
