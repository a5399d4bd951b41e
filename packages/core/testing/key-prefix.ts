import { randomBytes } from 'node:crypto'

let made = 0

/** A prefix for keys that no other test uses, in any process: tests share a server without meeting. */
export function keyPrefix(name = 'test'): string {
  made += 1
  return `${name}-${process.pid}-${made}-${randomBytes(4).toString('hex')}`
}
