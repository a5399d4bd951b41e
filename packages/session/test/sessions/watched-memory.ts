import { MemorySessionBackend } from '@stepladder/session'

const reads: ReadonlySet<PropertyKey> = new Set(['get', 'all', 'length', 'clear', 'close'])

/** Memory that asks `before` each write; it may wait, or reject. */
export function watchedMemory(before: (method: string) => Promise<void> | void): MemorySessionBackend {
  const backend = new MemorySessionBackend()
  return new Proxy(backend, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      if (reads.has(name)) return member.bind(target)
      return async (...args: unknown[]) => {
        await before(String(name))
        return Reflect.apply(member, target, args)
      }
    },
  })
}
