import { Agent, get } from 'node:http'

export interface LoadResult {
  readonly answered: number
  /** Requests that got no answer, by error code. */
  readonly lost: Record<string, number>
}

/** Saturated keep-alive connections, each sending its next request as soon as the last was answered. */
export async function loadUntil(
  port: number,
  done: Promise<unknown>,
  { path = '/', connections = 32 }: { readonly path?: string; readonly connections?: number } = {},
): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const lost: Record<string, number> = {}
  let answered = 0
  let isOver = false
  const client = async () => {
    while (!isOver) {
      await request(port, path, agent).then(
        () => answered++,
        (failure: NodeJS.ErrnoException) => {
          const code = failure.code ?? failure.message
          lost[code] = (lost[code] ?? 0) + 1
        },
      )
    }
  }
  const clients = Array.from({ length: connections }, client)
  try {
    await done
  } finally {
    isOver = true
  }
  await Promise.all(clients)
  agent.destroy()
  return { answered, lost }
}

function request(port: number, path: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = get({ host: '127.0.0.1', port, path, agent, timeout: 2_000 }, (response) => {
      response.resume().once('end', resolve).once('error', reject)
    })
    asked.once('timeout', () => asked.destroy(Object.assign(new Error('no answer'), { code: 'HANGS' })))
    asked.once('error', reject)
  })
}
