import { FakeClock, seededRandom, seeds } from '@stepladder/core/testing'
import { expect, test } from 'vitest'
import { LeaderSeat } from '../src/leader/leader-seat.ts'
import type { ToWorker } from '../src/link/messages.ts'

type Lead = Extract<ToWorker, { stepladder: 'lead' }>

class FakeWorker {
  state = 'serving'
  readonly appointments: Lead[] = []
  readonly #seat: LeaderSeat
  #lastId = 0

  constructor(seat: LeaderSeat) {
    this.#seat = seat
  }

  send(message: ToWorker): void {
    if (message.stepladder === 'lead') this.appointments.push(message)
  }

  stand(name = 'cron'): number {
    const id = ++this.#lastId
    this.#seat.hear(this, { stepladder: 'stand', id, name })
    return id
  }

  resign(id: number): void {
    this.#seat.hear(this, { stepladder: 'resigned', id })
  }

  exit(): void {
    this.#seat.leave(this)
  }

  get leads(): number {
    return this.appointments.length
  }
}

function setUp(workers: number) {
  const clock = new FakeClock()
  const seat = new LeaderSeat(clock)
  const hire = () => new FakeWorker(seat)
  return { clock, seat, hire, workers: Array.from({ length: workers }, hire) }
}

test('the first to stand leads; nobody else does while it neither resigns nor exits', () => {
  const [one, two] = setUp(2).workers
  const id = one!.stand()
  two!.stand()
  expect(one!.appointments).toMatchObject([{ id, machine: expect.stringMatching(/./) }])
  expect(two!.leads).toBe(0)
})

test('when the leader resigns, or its process has exited, another leads, with a greater token', () => {
  const [one, two, three] = setUp(3).workers
  const id = one!.stand()
  two!.stand()
  three!.stand()
  one!.resign(id)
  expect([two!.leads, three!.leads]).toEqual([0, 1])
  three!.exit()
  expect(two!.leads).toBe(1)

  const tokens = [one!, three!, two!].map(({ appointments }) => appointments[0]!.token)
  expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b))
})

test('tokens grow across supervisors as well, since they begin with the time', async () => {
  const before = setUp(1)
  before.workers[0]!.stand()
  const after = setUp(1)
  await after.clock.advance(1)
  after.workers[0]!.stand()
  expect(after.workers[0]!.appointments[0]!.token).toBeGreaterThan(before.workers[0]!.appointments[0]!.token)
})

test('a rolling reload moves leadership once: the youngest follows, and nobody who is leaving', () => {
  const { workers, hire } = setUp(3)
  const ids = workers.map((worker) => worker.stand())
  const successors = []
  for (const [n, old] of workers.entries()) {
    const successor = hire()
    successor.stand()
    successors.push(successor)
    old.state = 'draining'
    old.resign(ids[n]!)
    old.exit()
  }
  expect(successors.map(({ leads }) => leads)).toEqual([1, 0, 0])
  expect(workers.map(({ leads }) => leads)).toEqual([1, 0, 0])
})

test('nobody leads while all who could are leaving; who comes then does', () => {
  const { workers, hire } = setUp(2)
  const [one, two] = workers
  one!.stand()
  two!.stand()
  two!.state = 'draining'
  one!.exit()
  expect(two!.leads).toBe(0)
  const three = hire()
  three.stand()
  expect(three.leads).toBe(1)
})

test('names have a seat each, and a worker may sit on several', () => {
  const [one, two] = setUp(2).workers
  const cron = one!.stand('cron')
  one!.stand('scheduler')
  two!.stand('cron')
  two!.stand('scheduler')
  expect([one!.leads, two!.leads]).toEqual([2, 0])
  one!.resign(cron)
  expect([one!.leads, two!.leads]).toEqual([2, 1])
})

test('who resigns without leading, or twice, or from what it never stood for, takes nobody`s seat', () => {
  const [one, two, three] = setUp(3).workers
  one!.stand()
  const second = two!.stand()
  const third = three!.stand()
  two!.resign(second)
  two!.resign(second)
  two!.resign(99)
  expect([one!.leads, two!.leads, three!.leads]).toEqual([1, 0, 0])
  one!.exit()
  three!.resign(third)
  expect([one!.leads, two!.leads, three!.leads]).toEqual([1, 0, 1])
})

test.each(seeds(20))(
  'whatever comes in whatever order, there is never a second leader, and one if there can be (seed %i)',
  (seed) => {
    const random = seededRandom(seed)
    const { workers, hire } = setUp(4)
    const living = new Map(workers.map((worker) => [worker, [] as number[]]))
    const leaders = () =>
      [...living].flatMap(([worker, standing]) =>
        worker.appointments.filter(({ id }) => standing.includes(id)).map(() => worker),
      )
    for (let step = 0; step < 300; step++) {
      const [worker, standing] = [...living][Math.floor(random() * living.size)]!
      const dice = random()
      if (dice < 0.4) {
        standing.push(worker.stand())
      } else if (dice < 0.7 && standing.length > 0) {
        worker.resign(standing.splice(Math.floor(random() * standing.length), 1)[0]!)
      } else if (dice < 0.9) {
        living.delete(worker)
        worker.exit()
        living.set(hire(), [])
      }
      const isAnyStanding = [...living.values()].some((ids) => ids.length > 0)
      expect(leaders().length).toBe(isAnyStanding ? 1 : 0)
    }
  },
)
