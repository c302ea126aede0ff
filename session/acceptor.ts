/** The server's side: the table of sessions, and the carriers that come in for them. */

import { checkInteger } from "../codec/framing.ts";
import type { Connection } from "../connection.ts";
import { SessionProtocolError } from "../errors.ts";
import { SessionCode } from "./codes.ts";
import { encodeHex } from "./hex.ts";
import { Machine } from "./machine.ts";
import {
  type ResolvedSessionOptions,
  resolveSessionOptions,
  type SessionOptions,
} from "./options.ts";
import { SessionTransport } from "./transport.ts";
import { decodeFrame, encodeRefused, FrameType, type Hello, ID_BYTES } from "./wire.ts";

/** A carrier that was turned away. */
export interface SessionRefusal {
  /** The address of the peer, with its port. */
  readonly remote: string;
  /** The endpoint that it came to. */
  readonly endpoint: string;
  /** The reason as a number; docs/protocol.md lists them. */
  readonly code: number;
  /** The reason in words. */
  readonly reason: string;
}

/** Options of {@linkcode SessionAcceptor}. */
export interface SessionAcceptorOptions extends SessionOptions {
  /**
   * Sessions at a time, those without a carrier included.
   *
   * @default 10_000
   */
  maxSessions?: number;
  /** Told of carriers that are turned away: whoever tries ids often should be kept out for a while. */
  onRefuse?: (refusal: SessionRefusal) => void;
}

/** What is left of a session whose client may not know that it is over. */
interface Tombstone {
  readonly lastWord: Uint8Array;
  readonly until: number;
}

/**
 * Takes carriers in, and gives each new session out once.
 *
 * A session's id is 128 random bits that only its client knows, so that finding one by trying is out
 * of the question; how long a look-up takes tells nothing about the ids that are in the table, since
 * an id that is nearly right is as wrong as any other.
 */
export class SessionAcceptor {
  readonly #options: ResolvedSessionOptions;
  readonly #maxSessions: number;
  readonly #onRefuse: ((refusal: SessionRefusal) => void) | undefined;
  readonly #sessions = new Map<string, SessionTransport>();
  /** In the order in which they fall. */
  readonly #tombstones = new Map<string, Tombstone>();
  #state: "open" | "closed" = "open";

  /**
   * Makes an empty table.
   *
   * @throws {RangeError} for an option out of range.
   */
  constructor(options: SessionAcceptorOptions = {}) {
    const { maxSessions = 10_000, onRefuse } = options;
    this.#maxSessions = checkInteger("maxSessions", maxSessions, 1, Number.MAX_SAFE_INTEGER);
    this.#options = resolveSessionOptions(options);
    this.#onRefuse = onRefuse;
  }

  /** Sessions at this time, those without a carrier included. */
  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Waits for a carrier's HELLO. Resolves to the transport of a new session; to undefined when an old
   * one went on, or the carrier was turned away, of which `onRefuse` is told. The carrier belongs to
   * the session from now on. Never rejects.
   */
  async accept(
    carrier: Connection<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<SessionTransport | undefined> {
    try {
      const hello = await this.#hello(carrier, signal);
      return hello.id === undefined
        ? this.#begin(carrier, hello)
        : this.#goOn(carrier, hello, hello.id);
    } catch (error) {
      await this.#refuse(carrier, error);
      return undefined;
    }
  }

  /** Takes no more carriers in. Sessions end when they have none any more. */
  close(): void {
    this.#state = "closed";
    this.#tombstones.clear();
    for (const session of [...this.#sessions.values()]) this.#endWithoutCarrier(session);
  }

  #endWithoutCarrier(session: SessionTransport): void {
    if (!session.isAttached) session.lose("the server is closing");
  }

  async #hello(carrier: Connection<Uint8Array>, signal?: AbortSignal): Promise<Hello> {
    const { helloTimeout } = this.#options;
    const late = Promise.withResolvers<never>();
    const giveUp = () => late.reject(refusal("the server is closing", SessionCode.CLOSING));
    const timer = setTimeout(
      () => late.reject(refusal(`no HELLO came within ${helloTimeout} ms`, SessionCode.TIMEOUT)),
      helloTimeout,
    );
    signal?.addEventListener("abort", giveUp, { once: true });
    if (signal?.aborted || this.#state === "closed") giveUp();
    try {
      const bytes = await Promise.race([carrier.receive(), late.promise]);
      if (bytes === undefined) throw refusal("no HELLO came", SessionCode.UNEXPECTED);
      if (bytes[0] !== FrameType.HELLO) {
        throw refusal("its first frame is no HELLO of a session", SessionCode.UNEXPECTED);
      }
      if (this.#state === "closed") giveUp();
      return await Promise.race([decodeFrame(bytes) as Hello, late.promise]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
    }
  }

  #begin(carrier: Connection<Uint8Array>, hello: Hello): SessionTransport {
    if (this.#sessions.size >= this.#maxSessions) {
      throw refusal("there are too many sessions", SessionCode.FULL);
    }
    const id = encodeHex(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
    const session = new SessionTransport(new Machine("server", this.#options, id));
    session.onDetach = () => this.#state === "closed" && this.#endWithoutCarrier(session);
    session.attach(carrier, hello);
    this.#sessions.set(id, session);
    session.onOver = () => this.#bury(id, session);
    if (session.isOver) this.#bury(id, session);
    return session;
  }

  #goOn(carrier: Connection<Uint8Array>, hello: Hello, id: string): undefined {
    const session = this.#sessions.get(id);
    if (session === undefined) {
      const lastWord = this.#tombstones.get(id)?.lastWord;
      if (lastWord === undefined) throw refusal("there is no such session", SessionCode.UNKNOWN);
      this.#say(carrier, lastWord);
    } else if (session.peer?.fingerprint !== carrier.peer?.fingerprint) {
      throw refusal("the session belongs to another peer", SessionCode.DENIED);
    } else session.attach(carrier, hello);
  }

  /** A session is over. Clients that may not know that can hear it for some time. */
  #bury(id: string, session: SessionTransport): void {
    this.#sessions.delete(id);
    const now = performance.now();
    for (const [old, { until }] of this.#tombstones) {
      if (until > now && this.#tombstones.size < this.#maxSessions) break;
      this.#tombstones.delete(old);
    }
    const { lastWord } = session;
    if (lastWord === undefined || this.#state === "closed") return;
    this.#tombstones.set(id, { lastWord, until: now + this.#options.retentionTime });
  }

  async #refuse(carrier: Connection<Uint8Array>, error: unknown): Promise<void> {
    if (!(error instanceof SessionProtocolError)) return carrier.abort(error); // It failed by itself.
    const { code, message } = error;
    const { remote, endpoint } = carrier;
    this.#onRefuse?.({ remote, endpoint, code, reason: message });
    await this.#say(carrier, encodeRefused(code, message));
  }

  async #say(carrier: Connection<Uint8Array>, words: Uint8Array): Promise<void> {
    carrier.send(words);
    await carrier.close();
  }
}

function refusal(state: string, code: number): SessionProtocolError {
  return new SessionProtocolError(`Cannot take carrier in: ${state}`, code);
}
