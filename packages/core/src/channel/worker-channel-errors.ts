import { StepladderError } from '../errors.ts'

/** Rejects `broadcast` when more messages wait to be sent than a channel holds; nobody will hear this one. */
export class ChannelFullError extends StepladderError {
  readonly code = 'CHANNEL_FULL'
  readonly channel: string

  constructor(channel: string) {
    super(`Channel "${channel}" has too many messages waiting to be sent`)
    this.channel = channel
  }
}

/** Rejects `broadcast` after `close()`; nobody will hear this message. */
export class ChannelClosedError extends StepladderError {
  readonly code = 'CHANNEL_CLOSED'
  readonly channel: string

  constructor(channel: string) {
    super(`Channel "${channel}" is closed`)
    this.channel = channel
  }
}

/** Rejects `broadcast` when JSON cannot carry the message; nobody will hear it. */
export class InvalidMessageError extends StepladderError {
  readonly code = 'INVALID_MESSAGE'
  readonly channel: string

  constructor(channel: string, why: string, options?: ErrorOptions) {
    super(`Channel "${channel}" cannot carry this message: ${why}`, options)
    this.channel = channel
  }
}
