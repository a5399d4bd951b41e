import type { ServerResponse } from 'node:http'
import type { Visit } from '../visit/visit.ts'

export function commitBeforeHeaders(
  response: ServerResponse,
  visit: Visit,
  next: (failure?: unknown) => void,
): void {
  const { end } = response
  response.end = function heldEnd(this: ServerResponse, ...args: unknown[]) {
    response.end = end
    const finish = () => {
      const cookie = visit.setCookie()
      if (cookie !== undefined && !response.headersSent) response.appendHeader('Set-Cookie', cookie)
      return end.apply(response, args as never)
    }
    const changes = visit.isBusy ? undefined : visit.changes()
    if (!visit.isBusy && !changes) return finish()
    visit.commit(changes).then(finish, next)
    return response
  } as typeof end
}
