/**
 * Every class of error that Lengthwise throws, or gives as a reason.
 *
 * ```text
 * LengthwiseError
 * ├── ConnectionClosedError      this end used a connection after closing it, or aborted it
 * ├── ConnectionLostError        the network or the peer failed
 * │   ├── ConnectError           a connection could not be made
 * │   │   └── SessionRefusedError    the server refused the session
 * │   └── SessionLostError       a session cannot go on
 * ├── ListenError                the endpoint cannot be opened
 * ├── BackplaneError             messages between hubs are lost, or may be
 * ├── SlowConsumerError          the peer does not read, and too much waits to be sent
 * ├── ProtocolError              the peer broke the rules
 * │   ├── MessageTooLargeError   a message is larger than the limit
 * │   ├── InvalidLengthError     a length prefix has an impossible value
 * │   ├── InvalidMessageError    the framing or the format does not allow the message
 * │   ├── TruncatedMessageError  the stream ended inside a message
 * │   ├── FrameTimeoutError      a message did not become complete in time
 * │   ├── SessionProtocolError   the peer broke the rules of sessions
 * │   └── HeadError              the HTTP head of a WebSocket handshake is invalid or refused
 * ├── RefusedError               a peer may not come in
 * ├── RequestError               a request or a file transfer was answered with an error, or too late
 * └── HistoryError               a chat's history cannot be opened, read or written
 *
 * FramingTextError               a framing as text is wrong; a TypeError that tells the place
 * TlsError                       why TLS failed; only as the `cause` of an error above
 * ProxyError                     how a proxy failed; only as the `cause` of an error above
 * ```
 *
 * A peer that closes in order is not an error. Wrong options throw `TypeError` or `RangeError` at the
 * call. A call that the caller's `signal` aborts throws the reason of that signal. An error of the
 * system, such as `Deno.errors.AddrInUse`, is the `cause` of one of these errors.
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

/** A connection or a server was used after this end had closed or aborted it. */
export class ConnectionClosedError extends LengthwiseError {}

/** The network or the peer failed while a connection was open; `cause` is the system's error. */
export class ConnectionLostError extends LengthwiseError {}

/** A connection could not be made: it was refused, too late, or the host cannot be found or reached. */
export class ConnectError extends ConnectionLostError {}

/** An endpoint could not be opened: the port is in use, a permission or the address is missing. */
export class ListenError extends LengthwiseError {}

/** A backplane lost messages between hubs, or may have lost them. */
export class BackplaneError extends LengthwiseError {}

/** More bytes wait to be sent than `maxPendingBytes` allows, because the peer does not read them. */
export class SlowConsumerError extends LengthwiseError {}

/** The peer sent what the framing or the format does not allow. */
export class ProtocolError extends LengthwiseError {}

/** A message is larger than the limit, or than the length prefix can express. */
export class MessageTooLargeError extends ProtocolError {
  /** The size of the message, in bytes. */
  readonly size: number;
  /** The limit, in bytes. */
  readonly limit: number;

  /** Makes the message of the error from the size and the limit, and a likely reason in `hint`. */
  constructor(verb: "send" | "receive", size: number, limit: number, hint?: string) {
    super(
      `Cannot ${verb} message of ${size} bytes: limit is ${limit} bytes${hint ? ` (${hint})` : ""}`,
    );
    this.size = size;
    this.limit = limit;
  }
}

/** A length prefix has an impossible value: less than its own header, or a varint that does not end. */
export class InvalidLengthError extends ProtocolError {}

/** The framing cannot express a message, or the format does not allow it. */
export class InvalidMessageError extends ProtocolError {}

/** The stream ended inside a message. */
export class TruncatedMessageError extends ProtocolError {
  /** How many bytes of the unfinished frame had arrived, with its header. */
  readonly received: number;
  /** How many bytes of the frame were missing; at least how many of its header, if that was cut. */
  readonly missing: number;

  /** Makes the message of the error, which says where the stream ended. */
  constructor(received: number, missing: number, part: "header" | "body") {
    super(
      `Cannot receive message: stream ended in its ${part}, ${missing} bytes missing after ${received}`,
    );
    this.received = received;
    this.missing = missing;
  }
}

/** The peer began a frame and did not finish it within `frameTimeout`. */
export class FrameTimeoutError extends ProtocolError {}

/** A server refused a new session, or refused to resume one that it does not have any more. */
export class SessionRefusedError extends ConnectError {
  /** The reason as a number; docs/protocol.md lists them. */
  readonly code: number;
  /** Whether trying again later may help. */
  readonly isRetriable: boolean;

  /** Takes what the server said. */
  constructor(message: string, code: number, isRetriable: boolean, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.isRetriable = isRetriable;
  }
}

/**
 * A session cannot go on. Its peer stayed away for longer than the retention time, has forgotten the
 * session, aborted it, or broke the protocol. If it broke the protocol, `cause` is a
 * {@linkcode SessionProtocolError}.
 */
export class SessionLostError extends ConnectionLostError {
  /** The reason as a number, where there is one; docs/protocol.md lists them. */
  readonly code: number | undefined;
  /**
   * The messages that the peer has not acknowledged, as they were sent. The peer may have received some
   * of them. Messages that the session had not taken yet, and messages larger than
   * `maxUnacknowledgedBytes`, are not here; the connection's `undeliveredBytes` counts all of them.
   */
  readonly unacknowledged: readonly Uint8Array[];

  /** Takes the reason and the messages. */
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
  /** The rule that was broken, as a number; docs/protocol.md lists them. */
  readonly code: number;

  /** Takes what was wrong, and its number. */
  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

/** What a {@linkcode RefusedError} tells in addition to its message. */
export interface RefusedOptions extends ErrorOptions {
  /**
   * The reason for programs.
   *
   * @default "unauthorized"
   */
  code?: string;
  /**
   * The HTTP status of the answer, 400 to 599, where the peer has sent a request: 401 for one who should
   * say who it is, 403 for one who may not come in.
   *
   * @default 403
   */
  status?: number;
  /**
   * Header fields of that answer. With 401, `WWW-Authenticate: Bearer` if it is not there.
   *
   * @default {}
   */
  headers?: Readonly<Record<string, string>>;
}

/**
 * A peer may not come in. `authorize` of `listen()` gives or throws it. The peer is told the message; a
 * server sees the error as the `error` of a refusal.
 */
export class RefusedError extends LengthwiseError {
  /** The reason for programs. */
  readonly code: string;
  /** The HTTP status of the answer. */
  readonly status: number;
  /** Header fields of the answer. */
  readonly headers: Readonly<Record<string, string>>;

  /**
   * Takes the reason in words, which the peer is told.
   *
   * @throws {RangeError} for a status that refuses nothing.
   * @throws {TypeError} for fields that cannot be sent.
   */
  constructor(reason: string, options: RefusedOptions = {}) {
    const { code = "unauthorized", status = 403, headers = {}, ...rest } = options;
    super(reason, rest);
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(`Cannot refuse with status ${status}: it must be from 400 to 599`);
    }
    this.code = code;
    this.status = status;
    new Headers(headers); // Throws for what cannot be sent.
    this.headers = status === 401 ? { "WWW-Authenticate": "Bearer", ...headers } : headers;
  }
}

/**
 * The HTTP head of a WebSocket handshake is invalid or refused. A server sees this error as the `error`
 * of a refusal.
 */
export class HeadError extends ProtocolError {
  /** The status of the answer; undefined if nothing is answered. */
  readonly status: number | undefined;
  /** Header fields of the answer. */
  readonly fields: Readonly<Record<string, string>>;

  /** Takes what is wrong, and the status and fields of the answer. */
  constructor(what: string, status?: number, fields: Readonly<Record<string, string>> = {}) {
    super(what);
    this.status = status;
    this.fields = fields;
  }
}

/**
 * The codes that this module uses. An application may use codes of its own as well.
 *
 * | code | who says it | when |
 * | --- | --- | --- |
 * | `unknown-method` | the peer | it has no handler of that name |
 * | `invalid-params` | the peer | the params are not JSON, or the handler's schema refuses them |
 * | `wrong-kind` | the peer | the caller asked for a stream and the handler gave a value, or the reverse |
 * | `busy` | either end | there are more requests than it allows |
 * | `cancelled` | the peer | the request was cancelled; only its handler and its items see this code |
 * | `timeout` | this end | no answer within `timeout` |
 * | `internal` | the peer | its handler failed with anything but a `RequestError` |
 * | `worker-lost` | this end | the worker of a group was lost; the request may have been done or not |
 * | `no-worker` | this end | no worker of the group took the request in time; it was not done |
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
  | "worker-lost"
  | "no-worker"
  | "invalid-result";

/** What a {@linkcode RequestError} has in addition to its code and message. */
export interface RequestErrorOptions extends ErrorOptions {
  /** Any JSON value, or bytes. It is sent to the peer. */
  data?: unknown;
}

/**
 * A request was answered with an error, or was not answered in time. A handler may throw this
 * error: the caller then gets its code, message and data. The caller does not see any other error
 * of a handler, unless `exposeErrors` is set.
 */
export class RequestError extends LengthwiseError {
  /** What went wrong, for programs. */
  readonly code: RequestErrorCode | (string & Record<never, never>);
  /** The data that the handler added. */
  readonly data: unknown;

  /** The peer gets up to 255 bytes of the code, and up to 8 KiB of the message. */
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

/** A history cannot be opened, read or written. `cause` is the system's error, if there is one. */
export class HistoryError extends LengthwiseError {}

/**
 * TLS failed, at the handshake or when a stream was cut. The message is the reason, such as `the
 * server's certificate has expired`. This error is the `cause` of a {@linkcode ConnectError} or a
 * {@linkcode ConnectionLostError}, whose message says what could not be done.
 */
export class TlsError extends Error {
  /** Takes the reason. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TlsError";
  }
}

/**
 * A proxy failed or refused. The message begins with the name of the proxy, and never contains the
 * password. This error is the `cause` of a {@linkcode ConnectError}.
 */
export class ProxyError extends Error {
  /** Takes the name of the proxy, and what it did, such as `refused: host unreachable`. */
  constructor(proxy: string, what: string, options?: ErrorOptions) {
    super(`the proxy ${proxy} ${what}`, options);
    this.name = "ProxyError";
  }
}

/**
 * A framing that was given as text, such as `length(bites:4)`, is wrong. The error tells what is wrong
 * with which part of it.
 */
export class FramingTextError extends TypeError {
  /** The whole text. */
  readonly text: string;
  /** Where the wrong part begins: 1 for the first character. */
  readonly column: number;
  /** Which part is wrong and why: the end of the message. */
  readonly reason: string;
  /** Two lines for a terminal: the text, and marks below the wrong part. */
  readonly drawing: string;

  /** Takes the text, where the wrong part begins and ends in it, and what is wrong with it. */
  constructor(text: string, start: number, end: number, what: string, options?: ErrorOptions) {
    const part = start < end ? `"${text.slice(start, end)}"` : "the end";
    const reason = `${part} at column ${start + 1} ${what}`;
    super(`Cannot use framing "${text}": ${reason}`, options);
    this.name = "FramingTextError";
    this.text = text;
    this.column = start + 1;
    this.reason = reason;
    this.drawing = `${text}\n${" ".repeat(start)}${"^".repeat(Math.max(1, end - start))}`;
  }
}
