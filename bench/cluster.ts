import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { freePort, type NodeProcess, spawnNode } from '@stepladder/core/testing'
import type { Bench } from './figure.ts'
import { interleave } from './interleave.ts'

const cli = fileURLToPath(new URL('../packages/core/bin/stepladder.js', import.meta.url))
const requests = 3_000

export const bench: Bench = {
  name: 'cluster',
  async run(rounds) {
    const servers = await Promise.all([
      startServer(cli, ['run', '--workers', '2', '--distribution', 'shared', app('hello.cjs')]),
      startServer(app('bare-cluster.cjs'), []),
    ])
    const [ours, bare] = servers
    try {
      const { arms, ratio, spread } = await interleave(
        { 'stepladder run': () => cpuPerRequest(ours!), 'node:cluster': () => cpuPerRequest(bare!) },
        rounds,
        (round) => round['stepladder run'] / round['node:cluster'],
      )
      const what =
        'CPU time of all processes per request on a new connection, vs bare node:cluster (round-robin)'
      return [
        {
          id: 'cpu-per-connection',
          what,
          aim: '<= 0.5',
          value: ratio,
          unit: 'x',
          arms,
          armsUnit: 'us/request',
          spread,
        },
      ]
    } finally {
      for (const { process } of servers) await process.stop()
    }
  },
}

interface Server {
  readonly port: number
  readonly process: NodeProcess
  readonly pids: readonly number[]
}

async function startServer(file: string, args: string[]): Promise<Server> {
  const port = await freePort()
  const process = spawnNode(file, {
    args,
    env: { PORT: String(port) },
    execArgv: ['--conditions=@stepladder/source'],
  })
  await process.waitForOutput(/workers serve/)
  return { port, process, pids: [process.pid, ...childrenOf(process.pid)] }
}

async function cpuPerRequest({ port, pids }: Server): Promise<number> {
  const before = cpuMicros(pids)
  const client = async () => {
    for (let sent = 0; sent < requests / 16; sent++) {
      await (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text()
    }
  }
  await Promise.all(Array.from({ length: 16 }, client))
  return (cpuMicros(pids) - before) / requests
}

/** The time the processes spent on a core, from Linux's own account of it. */
function cpuMicros(pids: readonly number[]): number {
  const nanos = pids.map((pid) => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]))
  return nanos.reduce((sum, own) => sum + own, 0) / 1_000
}

function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return children.trim().split(' ').map(Number)
}

function app(name: string): string {
  return fileURLToPath(new URL(`./apps/${name}`, import.meta.url))
}
