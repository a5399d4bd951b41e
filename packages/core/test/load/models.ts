import { eventStreams } from './event-streams.ts'
import { http2Requests } from './http2.ts'
import { idleKeepAlive, saturatedKeepAlive } from './keep-alive.ts'
import type { LoadModel } from './load.ts'
import { slowPosts } from './posts.ts'
import { connectionStorm } from './storm.ts'
import { webSockets } from './web-sockets.ts'

/** The kinds of clients that a reload must not lose a request of, all for the app of `fixtures/open-app.cjs`. */
export const loadModels = {
  'saturated keep-alive': saturatedKeepAlive,
  'idle keep-alive': idleKeepAlive,
  'connection storm': connectionStorm,
  'slow POST bodies': slowPosts,
  WebSocket: webSockets,
  'Server-Sent Events': eventStreams,
  'HTTP/2': http2Requests,
} satisfies Record<string, LoadModel>
