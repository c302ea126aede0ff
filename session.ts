/**
 * Sessions: connections that survive the loss of their sockets.
 *
 * @module
 */

import {
  type CloseInfo,
  type CloseOptions,
  Connection,
  type ConnectionOptions,
  type ConnectionStats,
} from "./connection.ts";
import { outOf } from "./codec/internal.ts";
import { type ClosedListener, ConnectionSettings, resolveSettings } from "./connection/internal.ts";
import { ConnectionLostError } from "./errors.ts";
import type { Distribution } from "./internal/distribution.ts";
import { checkInteger, MAX_DELAY } from "./internal/check.ts";
import { type Dial, openTransport } from "./session/client.ts";
import { resolveSessionOptions, type SessionOptions } from "./session/options.ts";
import type { SessionStatus } from "./session/status.ts";
import type { SessionTransport } from "./session/transport.ts";

export {
  SessionAcceptor,
  type SessionAcceptorOptions,
  type SessionRefusal,
} from "./session/acceptor.ts";
export type { Dial } from "./session/client.ts";
export { SessionCode } from "./session/codes.ts";
export type { Elsewhere } from "./session/elsewhere.ts";
export type { SessionOptions } from "./session/options.ts";
export type { SessionStatus } from "./session/status.ts";
export type { SessionTransport } from "./session/transport.ts";

/** The largest frame of a session, in bytes. Carriers need no larger `maxMessageBytes`. */
export { MAX_FRAME_BYTES } from "./session/wire.ts";

/** What a session has done so far. Bytes are those of messages and their framing. */
export interface SessionStats extends ConnectionStats {
  /** Bytes that were written and that the peer is not known to have received. */
  readonly unacknowledgedBytes: number;
  /** How often the session continued over another carrier. */
  readonly resumes: number;
  /** The smoothed round-trip time, in milliseconds; undefined before the first measurement. */
  readonly roundTripTime: number | undefined;
}

/**
 * A connection that survives the loss of its sockets. When a socket is lost, the client makes
 * another one, and both ends continue where they were. All guarantees of {@linkcode Connection}
 * hold. A session has these in addition:
 *
 * - **Nothing lost, nothing twice.** Every message arrives once and in order, however often the
 *   carrier is lost, if it can be replaced within `retentionTime`.
 * - **Told otherwise.** If the carrier cannot be replaced, readers and `closed` get a
 *   `SessionLostError` with the messages that were not acknowledged. A message larger than
 *   `maxUnacknowledgedBytes` is not among them, and neither are messages that the session had not
 *   taken yet.
 * - **Holding back.** `send()` waits while `maxUnacknowledgedBytes` bytes wait for an
 *   acknowledgment, with or without a carrier.
 * - **Silence is noticed.** If nothing comes for `heartbeatInterval`, this end sends a question. If
 *   nothing comes for `heartbeatTimeout` after that, the carrier is replaced.
 * - **Closing.** `close()` tells the peer its code and reason, and `closed` settles when both ends
 *   have received everything. Its `closeTimeout` also counts while there is no carrier. To wait
 *   longer, call `flush()` first. `abort()` tells the peer at once that the session is over.
 * - **`writeTimeout`, `frameTimeout`** are longer than those of a connection by `retentionTime`.
 *
 * @example Two ends in one process, and a carrier that breaks
 * ```ts
 * import { Connection } from "@lengthwise/lengthwise";
 * import { openSession, Session, SessionAcceptor } from "@lengthwise/lengthwise/session";
 * import { memoryPair } from "@lengthwise/lengthwise/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const acceptor = new SessionAcceptor();
 * const served: Promise<void>[] = [];
 * let carrier: Connection | undefined;
 * const dial = () => {
 *   const [near, far] = memoryPair().map((transport) => new Connection(transport));
 *   served.push((async () => {
 *     const transport = await acceptor.accept(far);
 *     if (transport === undefined) return; // A session went on.
 *     await using session = new Session(transport);
 *     for await (const message of session) await session.send(message);
 *   })());
 *   return Promise.resolve(carrier = near);
 * };
 * const session = await openSession({ dial, session: { retry: () => 1 } });
 * session.send("one");
 * carrier!.abort();
 * session.send("two");
 * for (const expected of ["one", "two"]) {
 *   assertEquals(new TextDecoder().decode(await session.receive()), expected);
 * }
 * await session.close();
 * await Promise.all(served);
 * ```
 */
export class Session<T = Uint8Array, U = unknown> extends Connection<T, U> {
  readonly #session: SessionTransport;
  readonly #closed: Promise<CloseInfo>;

  /**
   * Makes a session from the transport that {@linkcode SessionAcceptor} gives. Clients use
   * {@linkcode openSession} instead.
   *
   * @throws {TypeError} {RangeError} for wrong options.
   */
  constructor(
    transport: SessionTransport,
    options: ConnectionOptions<T> = {},
    endpoint = "",
  ) {
    const settings = patient(resolveSettings(options), transport.retentionTime);
    const { framing } = settings;
    if (framing.after !== undefined) {
      throw new TypeError(`Cannot use framing ${framing.name} for a session: it changes`);
    }
    transport.useFraming(outOf(framing));
    super(transport, settings, endpoint);
    this.#session = transport;
    this.#closed = this.#closedBy(super.closed);
  }

  /** As of a connection. When the session goes on, the server asks anew, and has the new answer here. */
  override get user(): U {
    return this.#session.user as U;
  }

  /** Settles when the session has ended and its carrier is closed; never rejects. */
  override get closed(): Promise<CloseInfo> {
    return this.#closed;
  }

  /** @internal */
  override whenClosed(listener: ClosedListener): void {
    this.#closed.then((info) => listener.connectionClosed(this, info));
  }

  /** @internal */
  override measureRoundTrips(times: Distribution): void {
    this.#session.measureRoundTrips(times);
  }

  /** The connection's close information, after the session below it has ended too. */
  async #closedBy(connection: Promise<CloseInfo>): Promise<CloseInfo> {
    const info = await connection;
    await this.#session.finished;
    const undeliveredBytes = info.undeliveredBytes + this.#session.unacknowledgedBytes;
    const { code, reason } = this.#session.abilities.ended ?? {};
    // A program that closes must also learn which messages did not arrive.
    const { loss } = this.#session;
    const isTold = info.error !== undefined && !(info.error instanceof ConnectionLostError);
    return {
      ...(code === undefined ? {} : { code }),
      ...(reason === undefined ? {} : { reason }),
      ...info,
      ...(loss === undefined || isTold ? {} : { error: loss }),
      clean: info.clean && undeliveredBytes === 0 && loss === undefined,
      undeliveredBytes,
    };
  }

  /** Counts, in messages and bytes each way, as of now. */
  override get stats(): SessionStats {
    const { unacknowledgedBytes, resumes, roundTripTime } = this.#session;
    return { ...super.stats, unacknowledgedBytes, resumes, roundTripTime };
  }

  /** What the session is doing now. */
  get status(): SessionStatus {
    return this.#session.board.current;
  }

  /**
   * What the session is doing now, and each change until it ends. A slow reader gets only the
   * newest status.
   */
  states(): AsyncIterableIterator<SessionStatus> {
    return this.#session.board.watch();
  }

  /**
   * Waits until the peer has received everything that was sent until now.
   *
   * @throws {SessionLostError} when the session ended before the peer confirmed that.
   * @throws {ConnectionClosedError} when this end had closed before.
   */
  override flush(): Promise<void> {
    const goal = this.#sentBytes;
    // The slow-consumer policy may drop messages that wait to be sent.
    return this.#session.acknowledged(() => Math.min(goal, this.#sentBytes));
  }

  get #sentBytes(): number {
    const { bytesSent, bufferedBytes } = super.stats;
    return bytesSent + bufferedBytes;
  }

  /**
   * Tells the client that it should close and open another session elsewhere, because this server is
   * about to close. Nothing else changes; the client's `status` is `draining` from then on.
   *
   * @throws {TypeError} on a client.
   */
  drain(reason = ""): void {
    this.#session.drain(reason);
  }

  /**
   * Not for sessions: they find lost messages by their framing.
   *
   * @throws {TypeError} always.
   */
  override switchFraming(): never {
    throw new TypeError(`Cannot switch framing of ${this.remote}: a session keeps its framing`);
  }

  /**
   * Not for sessions: use `tls:` endpoints.
   *
   * @throws {TypeError} always.
   */
  override startTls(): Promise<void> {
    return Promise.reject(
      new TypeError(`Cannot start TLS with ${this.remote}: a session needs a tls: endpoint`),
    );
  }

  /**
   * Closes in order, and tells the peer the code and the reason, unless `closeWrite()` was called
   * before. A reason of more than 1000 bytes is cut. Resolves to the value of `closed`.
   *
   * @throws {RangeError} for a code that is no integer from 0 to 2^32 - 1.
   */
  override close(options: CloseOptions = {}): Promise<CloseInfo> {
    if (options.code !== undefined) checkInteger("code", options.code, 0, 2 ** 32 - 1);
    super.close(options);
    return this.closed;
  }
}

/** What {@linkcode openSession} needs. */
export interface OpenSessionOptions<T> {
  /**
   * Makes a new carrier. Nothing was received over it yet, and nothing was sent except what proves
   * who this client is. It is called again whenever the session has lost its carrier.
   */
  dial: Dial;
  /**
   * Framing, format, limits and signal of the session's messages.
   *
   * @default those of `Connection`
   */
  settings?: ConnectionOptions<T>;
  /** The name of the server in errors, and in `session.endpoint`. */
  name?: string;
  /** The session's own options. */
  session?: SessionOptions;
}

/**
 * Opens a new session. It calls `dial` for carriers until it is closed or lost.
 *
 * @throws {SessionRefusedError} when the server refuses it.
 * @throws {ConnectError} when it cannot be opened.
 * @throws {TypeError} {RangeError} for a wrong option, or a framing that cannot carry sessions.
 * @throws what `dial` threw, or the signal was aborted with.
 */
export async function openSession<T = Uint8Array>(
  options: OpenSessionOptions<T>,
): Promise<Session<T>> {
  const { dial, name = "", session } = options;
  const settings = resolveSettings(options.settings ?? {});
  const transport = await openTransport(
    dial,
    resolveSessionOptions(session),
    name,
    settings.signal,
  );
  return new Session<T>(transport, settings, name);
}

/**
 * The same settings with longer timeouts, for a transport that may be without a carrier for
 * `retentionTime`.
 */
function patient<T>(settings: ConnectionSettings<T>, retentionTime: number): ConnectionSettings<T> {
  const { framing, format, limits, signal, lossIsEnd } = settings;
  const writeTimeout = Math.min(limits.writeTimeout + retentionTime, MAX_DELAY);
  const frameTimeout = Math.min(limits.frameTimeout + retentionTime, MAX_DELAY);
  const patientLimits = { ...limits, writeTimeout, frameTimeout };
  return new ConnectionSettings(framing, format, patientLimits, signal, lossIsEnd);
}
