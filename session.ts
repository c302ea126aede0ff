/**
 * Sessions: connections that outlive their sockets.
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
import { ConnectionSettings, resolveSettings } from "./connection/internal.ts";
import { ConnectionLostError } from "./errors.ts";
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
export type { SessionOptions } from "./session/options.ts";
export type { SessionStatus } from "./session/status.ts";
export type { SessionTransport } from "./session/transport.ts";

/** The largest frame of a session, which carriers need not exceed: their `maxMessageBytes`. */
export { MAX_FRAME_BYTES } from "./session/wire.ts";

/** What a session has done so far. Bytes are those of messages and their framing. */
export interface SessionStats extends ConnectionStats {
  /** Bytes that were written and that the peer is not known to have received. */
  readonly unacknowledgedBytes: number;
  /** How often the session went on over another carrier. */
  readonly resumes: number;
  /** How long a question and its answer take, in milliseconds, smoothed; undefined before the first. */
  readonly roundTripTime: number | undefined;
}

/**
 * A connection that outlives its sockets: when one is lost the client makes another one, and both
 * ends go on where they were. What {@linkcode Connection} guarantees holds, and beyond that:
 *
 * - **Nothing lost, nothing twice.** Whatever was sent arrives once and in order, however often the
 *   carrier beneath is lost, if it can be replaced within `retentionTime`.
 * - **Told otherwise.** If it cannot, readers and `closed` get a `SessionLostError` with the messages
 *   that were not acknowledged; not with one that is larger than `maxUnacknowledgedBytes`, nor with
 *   what the session had not taken yet.
 * - **Holding back.** `send()` waits while `maxUnacknowledgedBytes` wait for an acknowledgment, with
 *   or without a carrier.
 * - **Silence is noticed.** A carrier over which nothing comes for `heartbeatInterval` and, after a
 *   question, for `heartbeatTimeout`, is replaced.
 * - **Closing.** `close()` tells the peer its code and reason, and `closed` settles when both ends
 *   have received everything. Its `closeTimeout` runs on while there is no carrier: whoever wants to
 *   wait for longer calls `flush()` first. `abort()` tells the peer at once that the session is over.
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
export class Session<T = Uint8Array> extends Connection<T> {
  /** Settles when the session has ended and its carrier closed; never rejects. */
  declare readonly closed: Promise<CloseInfo>;
  readonly #session: SessionTransport;

  /**
   * Makes a session of what {@linkcode SessionAcceptor} gives; {@linkcode openSession} does it for
   * clients.
   *
   * @throws {TypeError} {RangeError} for wrong options.
   */
  constructor(
    transport: SessionTransport,
    options: ConnectionOptions<T> = {},
    endpoint = "",
  ) {
    const settings = patient(resolveSettings(options), transport.retentionTime);
    transport.useFraming(settings.framing);
    super(transport, settings, endpoint);
    this.#session = transport;
    this.closed = this.#closedBy(this.closed);
  }

  /** What the connection tells, when the session beneath has ended too. */
  async #closedBy(connection: Promise<CloseInfo>): Promise<CloseInfo> {
    const info = await connection;
    await this.#session.finished;
    const undeliveredBytes = info.undeliveredBytes + this.#session.unacknowledgedBytes;
    const { code, reason } = this.#session.abilities.ended ?? {};
    // Whoever closes has to be told too which messages did not arrive.
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

  /** What it is doing now and from now on, to the end. Whoever reads slowly gets the newest only. */
  states(): AsyncIterableIterator<SessionStatus> {
    return this.#session.board.watch();
  }

  /**
   * Waits until the peer has received everything that was sent until now.
   *
   * @throws {SessionLostError} when it may not have.
   * @throws {ConnectionClosedError} when this end closed before.
   */
  override flush(): Promise<void> {
    const goal = this.#sentBytes;
    // The slow-consumer policy may drop what was to be sent.
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
   * Closes in order, and tells the peer code and reason, unless `closeWrite()` was called before. A
   * reason of more than 1000 bytes is cut. Resolves to `closed`.
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
   * Makes a new carrier, over which nothing was received yet, and nothing sent but what proves who
   * this is. Called again whenever the session has lost its carrier.
   */
  dial: Dial;
  /**
   * Framing, format, limits and signal of the session's messages.
   *
   * @default those of `Connection`
   */
  settings?: ConnectionOptions<T>;
  /** What to call the server in errors, and in `session.endpoint`. */
  name?: string;
  /** The session's own options. */
  session?: SessionOptions;
}

/**
 * Opens a new session. It makes itself carriers by `dial` until it is closed or lost.
 *
 * @throws {SessionRefusedError} when the server does not want it.
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

/** The same settings, for a transport that may be without a carrier for so long. */
function patient<T>(settings: ConnectionSettings<T>, retentionTime: number): ConnectionSettings<T> {
  const { framing, format, limits, signal, lossIsEnd } = settings;
  const writeTimeout = Math.min(limits.writeTimeout + retentionTime, MAX_DELAY);
  const frameTimeout = Math.min(limits.frameTimeout + retentionTime, MAX_DELAY);
  const patientLimits = { ...limits, writeTimeout, frameTimeout };
  return new ConnectionSettings(framing, format, patientLimits, signal, lossIsEnd);
}
