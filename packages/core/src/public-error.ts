/** Causes of causes are followed so far. */
const deepest = 5

/**
 * A copy of an error for a log: its type, message, stack, code and causes. Clients hang on their errors what
 * they were asked (ioredis the command with its arguments, an HTTP client the request with its headers):
 * that stays out.
 */
export function publicError(error: unknown, depth = 1): unknown {
  if (!(error instanceof Error)) return typeof error === 'object' ? '[object]' : error
  const { name, message, stack, cause } = error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  const isDeeper = cause !== undefined && depth < deepest
  // The prototype is what loggers read the type from.
  return Object.create(Object.getPrototypeOf(error), {
    name: { value: name },
    message: { value: message },
    stack: { value: stack },
    ...(code === undefined ? {} : { code: { value: code, enumerable: true } }),
    ...(isDeeper ? { cause: { value: publicError(cause, depth + 1) } } : {}),
  })
}
