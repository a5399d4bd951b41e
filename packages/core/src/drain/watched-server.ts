import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServerHttp2Session } from 'node:http2'
import { Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Connection, DrainMoment } from './connection.ts'
import { HttpConnection } from './http-connection.ts'
import { Http2Connection } from './http2-connection.ts'
import { watchUpgrades } from './upgrades.ts'

/** One http, https or http2 server of the app, and what is open on it. */
export class WatchedServer {
  readonly #server: Server
  readonly #isHttp2: boolean
  readonly #connections = new Map<object, Connection>()
  /** With TLS, what lies beneath each connection, from before the handshake on. */
  readonly #beneath = new Set<Socket>()
  #isLeaving = false

  constructor(server: Server) {
    this.#server = server
    this.#isHttp2 = 'updateSettings' in server
    const isTls = 'setSecureContext' in server
    server.on(isTls ? 'secureConnection' : 'connection', (socket: Socket) => {
      if (!this.#isHttp2 || isHttp1(socket)) this.connectionOver(socket)
    })
    if (isTls) server.on('connection', (socket: Socket) => this.#keepBeneath(socket))
    if (this.#isHttp2) server.on('session', (session: ServerHttp2Session) => this.#keepSession(session))
    watchUpgrades(server, (request: IncomingMessage) => this.connectionOver(request.socket).upgrade(request))
  }

  /** The HTTP/1 connection over this socket; it is known from the first time it is asked for. */
  connectionOver(socket: Socket): HttpConnection {
    const known = this.#knownOver(socket)
    if (known) return known
    const connection = new HttpConnection(this.#server, socket)
    if (this.#isLeaving) connection.sendAway()
    this.#connections.set(socket, connection)
    socket.once('close', () => this.#connections.delete(socket))
    return connection
  }

  /** An answer has gone out in full. */
  finish(socket: Socket, response: ServerResponse): void {
    this.#knownOver(socket)?.finish(response)
  }

  /** Stops accepting, and brings each connection as near to its end as this moment allows. */
  leave(moment: DrainMoment): void {
    if (!this.#isLeaving) this.#begin()
    for (const connection of this.#connections.values()) connection.leave(moment)
  }

  /** True when nothing is open; a handshake is waited for as long as a connection that has brought nothing. */
  hasLeft({ now, freshUntil }: DrainMoment): boolean {
    return this.#connections.size === 0 && (this.#beneath.size === 0 || now >= freshUntil)
  }

  /** Ends whatever is still open. */
  cut(): void {
    for (const connection of this.#connections.values()) connection.cut()
    for (const socket of this.#beneath) socket.destroy()
  }

  #knownOver(socket: Socket): HttpConnection | undefined {
    // Sessions are kept under themselves, and all else that is here under its socket.
    return this.#connections.get(socket) as HttpConnection | undefined
  }

  #begin(): void {
    this.#isLeaving = true
    for (const connection of this.#connections.values()) {
      if (connection instanceof HttpConnection) connection.sendAway()
    }
    // What http servers call `close` closes idle connections as well; the method they inherit only stops accepting.
    // A server that the app itself has closed may have answers under way, so its connections count all the same.
    if (this.#server.listening) Server.prototype.close.call(this.#server)
  }

  #keepSession(session: ServerHttp2Session): void {
    this.#connections.set(session, new Http2Connection(session))
    session.once('close', () => this.#connections.delete(session))
  }

  #keepBeneath(socket: Socket): void {
    this.#beneath.add(socket)
    socket.once('close', () => this.#beneath.delete(socket))
  }
}

/** Of an http2 server: without TLS all is HTTP/2, and with it the client has chosen. */
function isHttp1(socket: Socket): boolean {
  const { alpnProtocol = 'h2' } = socket as Partial<TLSSocket>
  return alpnProtocol !== 'h2'
}
