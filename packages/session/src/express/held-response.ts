import type { ServerResponse } from 'node:http'
import { ForeignSessionError, SessionTooLateError } from '../errors.ts'
import { reportOnce } from '../operation.ts'
import type { SessionsSettings } from '../sessions-options.ts'
import type { Visit } from '../visit/visit.ts'
import { addCookie } from './add-cookie.ts'
import { answerAnew } from './answer-anew.ts'
import { cutConnection } from './cut-connection.ts'
import { HeldCalls } from './held-calls.ts'
import { type WriterName, type Writers, writersOf } from './response-writers.ts'

/** One request: where its session is put, and who goes on with it. */
export interface HeldRequest {
  readonly place: { session?: unknown }
  readonly visit: Visit
  readonly settings: SessionsSettings
  readonly next: (failure?: unknown) => void
}

/**
 * Holds a response back until its session is saved, so that nothing is sent for a change that was not:
 *
 *     open ──nothing to save──▶ begun ──end, nothing to save──▶ done
 *      │                         ▲ └──end, something to save──▶ held ──saved──▶ done
 *  something to save       saved │                               └──failed──▶ dropped: the connection is cut
 *      └─────────▶ held ─────────┘
 *                   └──failed──▶ dropped: the app's error handler answers
 */
export class HeldResponse {
  readonly #response: ServerResponse
  readonly #request: HeldRequest
  readonly #real: Writers
  #state: 'open' | 'held' | 'begun' | 'done' | 'dropped' = 'open'
  #calls: HeldCalls | undefined
  /** The session that the browser knows of by the headers. */
  #idInHead: string | undefined

  constructor(response: ServerResponse, request: HeldRequest) {
    this.#response = response
    this.#request = request
    this.#real = writersOf(response)
  }

  /** What `holdUntilSaved` puts in the place of the writers. */
  call(name: WriterName, args: unknown[]): unknown {
    if (this.#state === 'open') return this.#begin(name, args)
    if (this.#state === 'begun' && name === 'end') return this.#end(args)
    if (this.#state === 'held') return this.#calls!.keep(name, args)
    // From a wrapper that still has something of the dropped answer.
    if (this.#state === 'dropped') return name === 'write' ? false : this.#response
    return this.#real[name].apply(this.#response, args)
  }

  #begin(name: WriterName, args: unknown[]): unknown {
    if (this.#response.headersSent) {
      // Somebody went past us, with a method that few know.
      this.#headIsOut()
      return this.call(name, args)
    }
    const saving = this.#saving()
    return saving ? this.#hold(saving, name, args) : this.#send(name, args)
  }

  #end(args: unknown[]): unknown {
    const saving = this.#saving()
    if (!saving && !this.#isTooLate()) return this.#send('end', args)
    const inTime = Promise.resolve(saving).then(() => {
      if (this.#isTooLate()) throw new SessionTooLateError()
    })
    return this.#hold(inTime, 'end', args)
  }

  /** Undefined: there is nothing to save. */
  #saving(): Promise<void> | undefined {
    const { visit, place } = this.#request
    try {
      if (place.session !== visit.session) return this.#putAway()
      if (visit.isBusy) return visit.commit(undefined)
      const changes = visit.changes()
      if (!changes) return undefined
      const { headersSent } = this.#response
      if (changes.kind === 'create' && headersSent) throw new SessionTooLateError()
      if (changes.kind !== 'touch') return visit.commit(changes)
      // One that failed was reported, and loses nobody's change.
      return headersSent ? undefined : visit.commit(changes).catch(() => {})
    } catch (failure) {
      return Promise.reject(failure)
    }
  }

  /** `request.session = null` ends a session, as in cookie-session; another object would be saved by nobody. */
  #putAway(): Promise<void> {
    const { visit, place } = this.#request
    if (place.session != null) throw new ForeignSessionError('the app has put another object there')
    return visit.destroy()
  }

  #hold(saving: Promise<void>, name: WriterName, args: unknown[]): unknown {
    const isHeadOut = this.#response.headersSent
    const calls = new HeldCalls(this.#response)
    this.#calls = calls
    this.#state = 'held'
    saving.then(
      () => this.#release(calls),
      (failure) => this.#fail(failure, calls, isHeadOut),
    )
    return calls.keep(name, args)
  }

  #release(calls: HeldCalls): void {
    const [first, ...rest] = calls.take()
    let isRoomLeft = true
    try {
      if (first) isRoomLeft = this.#send(first.name, first.args) !== false
      for (const { name, args } of rest) isRoomLeft = this.call(name, args) !== false
    } catch (failure) {
      // What Node makes of a header or chunk that is none, and throws at the app where nothing is held.
      this.#drop(failure)
      return
    }
    // Else Node does, when there is room.
    if (calls.isDrainDue && isRoomLeft && this.#state === 'begun') this.#response.emit('drain')
  }

  /** The first of the writers that is let through takes the cookie along. */
  #send(name: WriterName, args: unknown[]): unknown {
    const response = this.#response
    const cookie = response.headersSent ? undefined : this.#request.visit.setCookie()
    const all = cookie === undefined ? args : addCookie(response, cookie, name, args)
    if (name === 'end') this.#state = 'done'
    else this.#headIsOut()
    try {
      return this.#real[name].apply(response, all)
    } catch (failure) {
      // The app hears of its mistake, and may answer anew.
      if (!response.headersSent) this.#state = 'open'
      throw failure
    }
  }

  #headIsOut(): void {
    if (this.#state === 'begun') return
    this.#state = 'begun'
    this.#idInHead = this.#idInStore()
  }

  #fail(failure: unknown, calls: HeldCalls, isHeadOut: boolean): void {
    const { settings } = this.#request
    const isSent = isHeadOut || settings.onSaveFailure === 'report'
    if (isSent) reportOnce('respond', settings, 'unsaved', failure)
    if (settings.onSaveFailure === 'report') {
      this.#release(calls)
      return
    }
    calls.drop(failure)
    if (isHeadOut) this.#cut()
    else this.#drop(failure)
  }

  #cut(): void {
    this.#state = 'dropped'
    cutConnection(this.#response)
  }

  #drop(failure: unknown): void {
    if (!this.#response.headersSent) {
      this.#state = 'dropped'
      answerAnew(this.#response, this.#real, failure)
    }
    this.#request.next(failure)
  }

  /** A session has begun that the browser cannot know of, since the headers were out. */
  #isTooLate(): boolean {
    const id = this.#idInStore()
    return id !== undefined && id !== this.#idInHead
  }

  #idInStore(): string | undefined {
    const { visit } = this.#request
    return visit.info.isNew ? undefined : visit.id
  }
}
