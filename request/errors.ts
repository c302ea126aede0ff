/** The error that a request is answered with. */

import { LengthwiseError } from "../errors.ts";

/**
 * Codes that this module gives; those of applications are up to them.
 *
 * | code | who says it | when |
 * | --- | --- | --- |
 * | `unknown-method` | the peer | it has no handler of that name |
 * | `invalid-params` | the peer | the params are not JSON, or the handler's schema refuses them |
 * | `wrong-kind` | the peer | a stream was asked for and the handler gave a value, or the reverse |
 * | `busy` | either end | more requests than it allows |
 * | `cancelled` | the peer | the request was cancelled; only its handler and its items see this |
 * | `timeout` | this end | no answer within `timeout` |
 * | `internal` | the peer | its handler failed with anything but a `RequestError` |
 * | `invalid-result` | either end | the answer is not JSON, or too large for the peer |
 */
export type RequestErrorCode =
  | "unknown-method"
  | "invalid-params"
  | "wrong-kind"
  | "busy"
  | "cancelled"
  | "timeout"
  | "internal"
  | "invalid-result";

/** What a {@linkcode RequestError} holds beside code and message. */
export interface RequestErrorOptions extends ErrorOptions {
  /** Anything that is JSON, or bytes; it reaches the peer. */
  data?: unknown;
}

/**
 * A request was answered with an error, or got no answer in time. A handler throws one to answer
 * with exactly its code, message and data; whatever else it throws stays at its own end.
 */
export class RequestError extends LengthwiseError {
  /** What went wrong, for programs. */
  readonly code: RequestErrorCode | (string & Record<never, never>);
  /** Whatever the handler added. */
  readonly data: unknown;

  /** Of the code up to 255 bytes reach the peer, of the message up to 8 KiB. */
  constructor(
    code: RequestErrorCode | (string & Record<never, never>),
    message: string,
    options: RequestErrorOptions = {},
  ) {
    super(message, options);
    this.code = code;
    this.data = options.data;
  }
}
