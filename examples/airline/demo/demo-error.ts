/** Ends the demo; its message is all that the reader needs, so no stack is shown. */
export class DemoError extends Error {}
