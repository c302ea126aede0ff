/**
 * Every error that Lengthwise throws on its own account.
 *
 * ```text
 * LengthwiseError
 * ├── ConnectionClosedError      used after closing, or aborted by this end
 * ├── ConnectionLostError        the network or the peer failed
 * │   ├── ConnectError           … before there was a connection
 * │   │   └── SessionRefusedError    the server does not want this session
 * │   └── SessionLostError       … and for longer than a session can bridge
 * ├── ListenError                the endpoint cannot be opened
 * ├── SlowConsumerError          the peer does not read, and the limit for waiting messages is reached
 * └── ProtocolError              the peer broke the rules
 *     ├── MessageTooLargeError
 *     ├── InvalidLengthError
 *     ├── InvalidMessageError
 *     ├── TruncatedMessageError
 *     ├── FrameTimeoutError
 *     └── SessionProtocolError   … of sessions
 * ```
 *
 * A peer that closes in order is no error. Wrong options throw `TypeError` or `RangeError` at the
 * call; an abort or a timeout that a caller's `signal` brings is that signal's own reason.
 *
 * @module
 */

/** The base of all errors of this module, for `instanceof`. */
export class LengthwiseError extends Error {
  /** Takes what `Error` takes. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A connection or server was used after this end closed or aborted it. */
export class ConnectionClosedError extends LengthwiseError {}

/** The network or the peer failed while a connection was open; `cause` is the system's error. */
export class ConnectionLostError extends LengthwiseError {}

/** A connection could not be made: refused, unknown host, no route, or out of time. */
export class ConnectError extends ConnectionLostError {}

/** An endpoint could not be opened for listening: port in use, no permission, no such address. */
export class ListenError extends LengthwiseError {}

/** More is waiting to be sent than `maxPendingBytes` allows, because the peer does not read. */
export class SlowConsumerError extends LengthwiseError {}

/** The peer sent what the framing or the format does not allow. */
export class ProtocolError extends LengthwiseError {}

/** A message is larger than the limit, or than what the length prefix can say. */
export class MessageTooLargeError extends ProtocolError {
  /** The size that was asked for, in bytes. */
  readonly size: number;
  /** The limit, in bytes. */
  readonly limit: number;

  /** Says what could not be done, with the size and the limit and, in `hint`, a likely reason. */
  constructor(verb: "send" | "receive", size: number, limit: number, hint?: string) {
    super(
      `Cannot ${verb} message of ${size} bytes: limit is ${limit} bytes${hint ? ` (${hint})` : ""}`,
    );
    this.size = size;
    this.limit = limit;
  }
}

/** A length prefix says something that cannot be: less than its own header, or a varint without end. */
export class InvalidLengthError extends ProtocolError {}

/** A message cannot be expressed in the framing, or does not fit the format. */
export class InvalidMessageError extends ProtocolError {}

/** The stream ended inside a message. */
export class TruncatedMessageError extends ProtocolError {
  /** Bytes of the unfinished frame that had arrived, header included. */
  readonly received: number;
  /** Bytes that were missing: of the frame, or at least of its header when that was cut. */
  readonly missing: number;

  /** Says where the stream ended. */
  constructor(received: number, missing: number, part: "header" | "body") {
    super(
      `Cannot receive message: stream ended in its ${part}, ${missing} bytes missing after ${received}`,
    );
    this.received = received;
    this.missing = missing;
  }
}

/** A frame that had begun was not finished within `frameTimeout`. */
export class FrameTimeoutError extends ProtocolError {}

/** A server refused a session: a new one, or one that it does not have any more. */
export class SessionRefusedError extends ConnectError {
  /** The reason as a number; docs/protocol.md lists them. */
  readonly code: number;
  /** Whether trying again later may help. */
  readonly isRetriable: boolean;

  /** Says what the server said. */
  constructor(message: string, code: number, isRetriable: boolean, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.isRetriable = isRetriable;
  }
}

/**
 * A session cannot go on: its peer stayed away for longer than the retention time, has forgotten it,
 * aborted it, or broke the protocol; then `cause` is a {@linkcode SessionProtocolError}.
 */
export class SessionLostError extends ConnectionLostError {
  /** The reason as a number, where there is one; docs/protocol.md lists them. */
  readonly code: number | undefined;
  /**
   * The messages, as they were sent, that the peer is not known to have received. It may have
   * received some of them. Those that the session had not taken yet, and those larger than
   * `maxUnacknowledgedBytes`, are not here; the connection's `undeliveredBytes` counts all.
   */
  readonly unacknowledged: readonly Uint8Array[];

  /** Says why, and keeps the messages. */
  constructor(
    message: string,
    unacknowledged: readonly Uint8Array[],
    options: ErrorOptions & { code?: number } = {},
  ) {
    super(message, options);
    this.code = options.code;
    this.unacknowledged = unacknowledged;
  }
}

/** The peer broke the rules of the session protocol. */
export class SessionProtocolError extends ProtocolError {
  /** Which rule, as a number; docs/protocol.md lists them. */
  readonly code: number;

  /** Says what was wrong. */
  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}
