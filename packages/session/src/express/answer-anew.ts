import type { ServerResponse } from 'node:http'
import { tellCallback } from './held-calls.ts'
import type { Writers } from './response-writers.ts'

/**
 * Headers that stay when an answer is dropped: they say who may read the answers of this app and how, whichever answer it
 * is. All others say what the handler meant to answer.
 */
const lasting =
  /^(access-control-.*|cross-origin-.*|content-security-policy.*|strict-transport-security|referrer-policy|permissions-policy|origin-agent-cluster|x-(content-type-options|frame-options|xss-protection|dns-prefetch-control|download-options|permitted-cross-domain-policies|powered-by|request-id|correlation-id)|vary|server|date|connection|keep-alive|timing-allow-origin|alt-svc)$/

/**
 * Drops the answer that was held back, so that the app's error handler can give another one by way of `real`. What the
 * former handler still writes when that one is complete goes nowhere.
 */
export function answerAnew(response: ServerResponse, real: Writers, failure: unknown): void {
  for (const name of response.getHeaderNames()) {
    if (!lasting.test(name)) response.removeHeader(name)
  }
  response.statusCode = 200
  if (Object.hasOwn(response, 'statusMessage')) response.statusMessage = ''
  // Empties them.
  response.addTrailers({})
  // Streams that wait to go on with the dropped answer.
  response.removeAllListeners('drain')
  takeOne(response, real, failure)
}

/** Past the wrappers of later middleware, `compression` say: for them this response has ended. */
function takeOne(response: ServerResponse, real: Writers, failure: unknown): void {
  let isAnswered = false
  const once = (name: keyof Writers, returned: unknown) =>
    function writeAnswer(...args: unknown[]) {
      if (!isAnswered) {
        const result = real[name].apply(response, args)
        isAnswered = name === 'end'
        return result
      }
      tellCallback(args, failure)
      return returned
    }
  // Their overloads say more than one signature can.
  Object.assign(response, {
    writeHead: once('writeHead', response),
    write: once('write', false),
    end: once('end', response),
    flushHeaders: once('flushHeaders', undefined),
  })
}
