/** Why something failed, in words fit for a message: the error's own, without the password of a URL in it. */
export function reasonOf(failure: unknown): string {
  // Drivers quote the URL that they were given.
  return wordsOf(failure).replaceAll(/\/\/[^/\s@]*@/g, '//***@')
}

function wordsOf(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure)
  // A refused connection to a host with two addresses is an AggregateError with an empty message.
  return failure.message || ('code' in failure ? String(failure.code) : failure.name)
}
