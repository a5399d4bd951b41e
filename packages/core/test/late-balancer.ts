import { sleep } from '@stepladder/core'

export interface LateBalancer {
  /** How many requests were answered. */
  readonly answered: number
  /** What became of the others. */
  readonly lost: readonly string[]
}

/**
 * Balances as load balancers do: sends new connections to a backend until its probe, asked only now and then,
 * says 503 or nothing. `onReady` is called when the probe has just said 200: the longest time until the next one.
 */
export async function balanceUntilOut(
  backend: string,
  { probe, everyMs, onReady }: { probe: string; everyMs: number; onReady: (probes: number) => void },
): Promise<LateBalancer> {
  const lost: string[] = []
  let answered = 0
  let isOut = false
  const probing = async () => {
    for (let probes = 1; !isOut; probes++) {
      const isReady = await ask(probe).catch(() => false)
      if (isReady) onReady(probes)
      else isOut = true
      await sleep(everyMs)
    }
  }
  const sending = async () => {
    while (!isOut) {
      await ask(backend).then(
        () => answered++,
        (failure: Error) => lost.push(String(failure.cause ?? failure)),
      )
      await sleep(5)
    }
  }
  await Promise.all([probing(), sending()])
  return { answered, lost }
}

async function ask(url: string): Promise<boolean> {
  const response = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(5_000) })
  await response.text()
  return response.ok
}
