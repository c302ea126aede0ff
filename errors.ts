/**
 * Every class of error that Lengthwise throws, or gives as a reason.
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
 * ├── ProtocolError              the peer broke the rules
 * │   ├── MessageTooLargeError   a message is larger than the limit
 * │   ├── InvalidLengthError     a length prefix says what cannot be
 * │   ├── InvalidMessageError    a message that the framing or the format cannot have
 * │   ├── TruncatedMessageError  the stream ended inside a message
 * │   ├── FrameTimeoutError      a message did not become complete in time
 * │   ├── SessionProtocolError   … of sessions
 * │   └── HeadError              … of HTTP, with which a WebSocket begins
 * ├── RequestError               a request was answered with an error, or not in time; files, too
 * └── HistoryError               a chat's history cannot be opened, read or written
 *
 * TlsError                       only as the `cause` of one above: what TLS failed at
 * ProxyError                     only as the `cause` of one above: what the proxy did
 * ```
 *
 * A peer that closes in order is no error. Wrong options throw `TypeError` or `RangeError` at the
 * call; an abort or a timeout that a caller's `signal` brings is that signal's own reason. What the
 * system says, such as `Deno.errors.AddrInUse`, is the `cause` of one of these.
 *
 * This module imports nothing, so that browsers can load it.
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

/**
 * The HTTP head with which a WebSocket begins is none, or is refused. Servers see it as the `error`
 * of a refusal.
 */
export class HeadError extends ProtocolError {
  /** The status to answer with, if it is worth an answer. */
  readonly status: number | undefined;
  /** Fields that the answer needs. */
  readonly fields: Readonly<Record<string, string>>;

  /** Says what is wrong with it. */
  constructor(what: string, status?: number, fields: Readonly<Record<string, string>> = {}) {
    super(what);
    this.status = status;
    this.fields = fields;
  }
}

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

/** A history cannot be opened, read or written; `cause` is what the system said, if it did. */
export class HistoryError extends LengthwiseError {}

/**
 * What TLS failed at: a handshake, or a stream that was cut. The message is a reason, such as `the
 * server's certificate has expired`. It is the `cause` of a {@linkcode ConnectError} or a
 * {@linkcode ConnectionLostError}, which say what could not be done.
 */
export class TlsError extends Error {
  /** Gives the reason. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TlsError";
  }
}

/**
 * A proxy that failed. The message begins with its name, and never holds the password. It is the
 * `cause` of a {@linkcode ConnectError}.
 */
export class ProxyError extends Error {
  /** Says what the proxy of that name did, such as `refused: host unreachable`. */
  constructor(proxy: string, what: string, options?: ErrorOptions) {
    super(`the proxy ${proxy} ${what}`, options);
    this.name = "ProxyError";
  }
}
