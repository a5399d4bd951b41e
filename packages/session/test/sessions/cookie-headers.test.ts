import { seededRandom, seeds } from '@stepladder/core/testing'
import { MemorySessionBackend } from '@stepladder/session'
import { describe, expect, test } from 'vitest'
import { setUp } from './set-up.ts'

/** Counts what it is asked. */
class CountingBackend extends MemorySessionBackend {
  asked: string[] = []

  override async get(id: string): Promise<string | undefined> {
    this.asked.push(id)
    return super.get(id)
  }
}

async function setUpTwo() {
  const all = setUp({}, (clock) => new CountingBackend({ clock }))
  const ada = await all.begun({ user: 'ada' })
  const bob = await all.begun({ user: 'bob' })
  all.backend.asked = []
  /** Who the session of this header belongs to, and whether the store was asked. */
  const userOf = async (header: string) => {
    all.backend.asked = []
    const { user } = await all.sessions.load(header)
    return [user, all.backend.asked.length]
  }
  return { ...all, ada, bob, userOf }
}

const name = '__Host-session'
const nobody = [undefined, 0]

describe('a cookie header', () => {
  test('with the cookie anywhere in it, and in every form that it may have, opens its session', async () => {
    const { ada, userOf } = await setUpTwo()
    const value = ada.slice(name.length + 1)
    const headers = [
      ...[ada, `a=1; ${ada}`, `a=1;${ada};b=2`, `a=1 ;\t ${ada} ; b=2`, `;;; ${ada}`, `a; ${ada}`],
      ...[`${name}="${value}"`, `${name}=${decodeURIComponent(value)}`, `${name}= ${value} `],
      ...[`${name}=other; ${ada}`, `x${name}=1; ${ada}`, `${name}x=1; ${ada}`, `${name}; ${ada}`],
    ]
    for (const header of headers) expect([header, await userOf(header)]).toEqual([header, ['ada', 1]])
  })

  test('that holds it as a part of something else opens nothing, and asks nobody', async () => {
    const { ada, userOf } = await setUpTwo()
    const value = ada.slice(name.length + 1)
    const headers = [
      ...[`x${ada}`, `a=${ada}`, `a=b ${ada}`, `a=b${' '.repeat(20)}${ada}`, `a=b\t\t\t\t\t\t\t\t\t\t${ada}`],
      ...[`a="; ${name} =${value}"`, `${name} =${value}`, `${ada.toUpperCase()}`, `${name}=${name}=${value}`],
      ...[`${name}=${value}${value}`, `${name}=${encodeURIComponent(value)}`, `${name}="${value}`],
      ...[`$Version=1, ${ada}`, `a=1, ${ada}`, `${name}==${value}`, `=${ada}`],
    ]
    for (const header of headers) expect([header, await userOf(header)]).toEqual([header, nobody])
  })

  test('of several cookies of the name, the first that is signed counts', async () => {
    const { ada, bob, userOf } = await setUpTwo()
    expect(await userOf(`${ada}; ${bob}`)).toEqual(['ada', 1])
    expect(await userOf(`${bob}; ${ada}`)).toEqual(['bob', 1])
    expect(await userOf(`${name}=s%3Aforged.${'A'.repeat(43)}; ${bob}`)).toEqual(['bob', 1])
    expect(await userOf(`${`${name}=%; `.repeat(1_000)}${bob}`)).toEqual(['bob', 1])
  })

  test('that is cut off anywhere, or has another letter anywhere, opens nothing and asks nobody', async () => {
    const { ada, bob, userOf } = await setUpTwo()
    const end = ada.length - 1
    const others = ['A', 'é', '\0', '%', ';', '"', '=', '.', ' ', '\u{1f600}']
    for (let at = 0; at < end; at += 1) {
      expect(await userOf(ada.slice(0, at))).toEqual(nobody)
      expect(await userOf(bob.slice(0, at) + ada.slice(at))).toEqual(
        bob.slice(0, at) === ada.slice(0, at) ? ['ada', 1] : nobody,
      )
      for (const other of others) {
        const header = `${ada.slice(0, at)}${other}${ada.slice(at + 1)}`
        if (at > name.length && ada[at] !== other)
          expect([header, await userOf(header)]).toEqual([header, nobody])
      }
    }
  })

  test("of 65,536 letters is read, and a longer one is no browser's", async () => {
    const { ada, userOf } = await setUpTwo()
    const filled = (length: number) => `${'a'.repeat(length - ada.length - 2)}; ${ada}`
    expect(await userOf(filled(65_536))).toEqual(['ada', 1])
    expect(await userOf(filled(65_537))).toEqual(nobody)
    for (const piece of [`${name}=`, `${name}`, `${name}=%`, `${name};`, ' ', '%', ';', '"']) {
      expect(await userOf(piece.repeat(65_536 / piece.length))).toEqual(nobody)
    }
  })
})

test.each(seeds(1))(
  '20,000 random headers never throw, never open a session of somebody else, and ask nobody unless signed (seed %i)',
  async (seed) => {
    const { ada, bob, sessions, backend, userOf } = await setUpTwo()
    const random = seededRandom(seed)
    const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!
    const pieces = [
      ...[
        ada,
        bob,
        name,
        `${name}=`,
        '__proto__=',
        'constructor=',
        's:',
        's%3A',
        'h~',
        '%',
        '%2',
        '%E0%A4%A',
      ],
      ...[
        '%00',
        '\0',
        '\r\n',
        'é',
        '\u{1f600}',
        '\ud800',
        ';',
        '; ',
        '=',
        '"',
        '.',
        ',',
        ' ',
        '\t',
        '\\',
        'x',
      ],
      ...[ada.slice(0, 30), bob.slice(30), ada.slice(name.length + 1), decodeURIComponent(bob)],
    ]
    let opened = 0
    for (let turn = 0; turn < 20_000; turn += 1) {
      const header = Array.from({ length: 1 + Math.floor(random() * 8) }, () => pick(pieces)).join('')
      const [user, asked] = await userOf(header)
      // Only who has a signed cookie can open what it names.
      const mayOpen = [ada, decodeURIComponent(ada)].some((each) => header.includes(each)) ? ['ada'] : []
      if ([bob, decodeURIComponent(bob)].some((each) => header.includes(each))) mayOpen.push('bob')
      if (user !== undefined) {
        expect(mayOpen).toContain(user)
        opened += 1
      }
      if (mayOpen.length === 0) expect([header, asked]).toEqual([header, 0])
    }
    expect(opened).toBeGreaterThan(100)
    expect(await backend.length()).toBe(2)
    expect({ ...(await sessions.load(bob)) }).toEqual({ user: 'bob' })
    expect(Object.keys(Object.prototype)).toEqual([])
  },
)
