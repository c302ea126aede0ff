/** The server's side: the table of sessions, and the carriers that arrive for them. */

import type { Connection } from "../connection.ts";
import { SessionProtocolError } from "../errors.ts";
import { checkInteger } from "../internal/check.ts";
import { toHex } from "../internal/encoding.ts";
import { deadlineOf } from "../internal/time.ts";
import { SessionCode } from "./codes.ts";
import { type Elsewhere, TAG_BYTES } from "./elsewhere.ts";
import { refusal } from "./faults.ts";
import { Machine } from "./machine.ts";
import {
  type ResolvedSessionOptions,
  resolveSessionOptions,
  type SessionOptions,
} from "./options.ts";
import { SessionTable, Tombstones } from "./table.ts";
import { SessionTransport } from "./transport.ts";
import { isSameUser } from "./users.ts";
import {
  decodeFrame,
  encodeHello,
  encodeRefused,
  FrameType,
  type Hello,
  ID_BYTES,
} from "./wire.ts";

/** A carrier that was refused. */
export interface SessionRefusal {
  /** The carrier, which is being closed. */
  readonly carrier: Connection<Uint8Array>;
  /** The address of the peer, with its port. */
  readonly remote: string;
  /** The endpoint at which it arrived. */
  readonly endpoint: string;
  /** The reason as a number; docs/protocol.md lists them. */
  readonly code: number;
  /** The reason in words. */
  readonly reason: string;
}

/** Options of {@linkcode SessionAcceptor}. */
export interface SessionAcceptorOptions extends SessionOptions {
  /**
   * How many sessions may exist at a time, including those without a carrier.
   *
   * @default 10_000
   */
  maxSessions?: number;
  /**
   * How many sessions of one address may exist at a time, including those without a carrier. At the
   * limit, the oldest unused session of the address is ended: one without a carrier, over
   * which no bytes are known to have arrived in either direction.
   *
   * @default 64
   */
  maxSessionsPerAddress?: number;
  /**
   * Names the address that a carrier's new session counts for: its own address, or its network.
   * With `undefined` the session is not limited.
   *
   * @default none are limited
   */
  addressOf?: (carrier: Connection<Uint8Array>) => string | undefined;
  /**
   * Names the limit that refuses a carrier after it has greeted. `replaced` is the session's
   * carrier that the new one would replace.
   *
   * @default none is refused
   */
  limitOf?: (
    carrier: Connection<Uint8Array>,
    replaced: Connection<Uint8Array> | undefined,
  ) => string | undefined;
  /** Called for each carrier that a session has accepted, at once after `limitOf`. */
  onEnter?: (
    carrier: Connection<Uint8Array>,
    replaced: Connection<Uint8Array> | undefined,
  ) => void;
  /**
   * The cluster that the server is in: it carries carriers to the sessions of other servers.
   *
   * @default none
   */
  elsewhere?: Elsewhere;
  /**
   * Called for each refused carrier. An address that often tries ids should be refused for a while.
   */
  onRefuse?: (refusal: SessionRefusal) => void;
}

type Callbacks = Pick<SessionAcceptorOptions, "addressOf" | "limitOf" | "onEnter" | "onRefuse">;

/**
 * Accepts carriers, and gives out each new session once.
 *
 * A session's id is 128 random bits that only its client knows, so nobody can find one by trying. In a
 * cluster the first 40 of them are the same for all sessions of a server, which leaves enough.
 * The time of a look-up tells nothing about the ids in the table, because an id that is nearly
 * right is as wrong as any other.
 */
export class SessionAcceptor {
  readonly #options: ResolvedSessionOptions;
  readonly #maxSessions: number;
  readonly #maxSessionsPerAddress: number;
  readonly #callbacks: Callbacks;
  readonly #sessions = new SessionTable();
  readonly #tombstones: Tombstones;
  readonly #elsewhere: Elsewhere | undefined;
  #state: "open" | "closed" = "open";

  /**
   * Makes an empty table.
   *
   * @throws {RangeError} for an option out of range.
   */
  constructor(options: SessionAcceptorOptions = {}) {
    const { maxSessions = 10_000, maxSessionsPerAddress = 64 } = options;
    checkInteger("maxSessions", maxSessions, 1, Number.MAX_SAFE_INTEGER);
    checkInteger("maxSessionsPerAddress", maxSessionsPerAddress, 1, Number.MAX_SAFE_INTEGER);
    this.#maxSessions = maxSessions;
    this.#maxSessionsPerAddress = maxSessionsPerAddress;
    this.#callbacks = options;
    this.#elsewhere = options.elsewhere;
    this.#options = resolveSessionOptions(options);
    this.#tombstones = new Tombstones(maxSessions, this.#options.retentionTime);
  }

  /** How many sessions exist now, including those without a carrier. */
  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Waits for a carrier's HELLO. Resolves to the transport of a new session. Resolves to undefined
   * when an old session continued, or when the carrier was refused; then `onRefuse` is called. The
   * carrier belongs to the acceptor from now on. Never rejects. A carrier that another server has carried
   * here is not carried on.
   */
  async accept(
    carrier: Connection<Uint8Array>,
    signal?: AbortSignal,
    isCarried = false,
  ): Promise<SessionTransport | undefined> {
    try {
      const hello = await this.#hello(carrier, signal);
      if (this.#state === "closed") throw refusal("the server is closing", SessionCode.CLOSING);
      if (hello.id === undefined) return this.#begin(carrier, hello);
      await this.#goOn(carrier, hello, hello.id, isCarried);
    } catch (error) {
      await this.#refuse(carrier, error);
    }
    return undefined;
  }

  /** Accepts no more carriers. Each session ends when it has no carrier any more. */
  close(): void {
    this.#state = "closed";
    this.#elsewhere?.stop();
    this.#tombstones.clear();
    for (const { session } of [...this.#sessions]) this.#endWithoutCarrier(session);
  }

  #endWithoutCarrier(session: SessionTransport): void {
    if (!session.isAttached) session.lose("the server is closing");
  }

  async #hello(carrier: Connection<Uint8Array>, signal?: AbortSignal): Promise<Hello> {
    const { helloTimeout } = this.#options;
    const late = Promise.withResolvers<never>();
    const giveUp = () => late.reject(refusal("the server is closing", SessionCode.CLOSING));
    const deadline = deadlineOf(
      helloTimeout,
      () => late.reject(refusal(`no HELLO came within ${helloTimeout} ms`, SessionCode.TIMEOUT)),
    );
    signal?.addEventListener("abort", giveUp, { once: true });
    if (signal?.aborted || this.#state === "closed") giveUp();
    try {
      const bytes = await Promise.race([carrier.receive(), late.promise]);
      if (bytes === undefined) throw refusal("no HELLO came", SessionCode.UNEXPECTED);
      if (bytes[0] !== FrameType.HELLO) {
        throw refusal("its first frame is no HELLO of a session", SessionCode.UNEXPECTED);
      }
      return decodeFrame(bytes) as Hello;
    } finally {
      deadline.clear();
      signal?.removeEventListener("abort", giveUp);
    }
  }

  #begin(carrier: Connection<Uint8Array>, hello: Hello): SessionTransport {
    const address = this.#callbacks.addressOf?.(carrier);
    this.#checkRoom(carrier, address);
    const id = this.#newId();
    const session = new SessionTransport(new Machine("server", this.#options, id));
    session.onDetach = () => this.#state === "closed" && this.#endWithoutCarrier(session);
    session.attach(carrier, hello);
    this.#sessions.add({ id, session, address, carrier });
    session.onOver = () => this.#bury(id, session);
    if (session.isOver) this.#bury(id, session);
    this.#callbacks.onEnter?.(carrier, undefined);
    return session;
  }

  /** In a cluster, an id begins with the name of its server. */
  #newId(): string {
    const tag = this.#elsewhere?.tag ?? "";
    return tag + toHex(crypto.getRandomValues(new Uint8Array(ID_BYTES - tag.length / 2)));
  }

  /** Throws when there may not be another session. An unused session may be ended for it. */
  #checkRoom(carrier: Connection<Uint8Array>, address: string | undefined): void {
    if (this.#sessions.size >= this.#maxSessions) {
      throw refusal("there are too many sessions", SessionCode.FULL);
    }
    this.#checkLimit(carrier);
    if (address === undefined) return;
    if (this.#sessions.countOf(address) < this.#maxSessionsPerAddress) return;
    const unused = this.#sessions.unusedOf(address);
    if (unused === undefined) {
      throw refusal("there are too many sessions of its address", SessionCode.FULL);
    }
    unused.lose("it was left unused, and its address has opened too many");
  }

  #checkLimit(carrier: Connection<Uint8Array>, replaced?: Connection<Uint8Array>): void {
    const limit = this.#callbacks.limitOf?.(carrier, replaced);
    if (limit !== undefined) throw refusal(`${limit} is reached`, SessionCode.FULL);
  }

  async #goOn(
    carrier: Connection<Uint8Array>,
    hello: Hello,
    id: string,
    isCarried: boolean,
  ): Promise<void> {
    const entry = this.#sessions.get(id);
    if (entry === undefined) {
      const lastWord = this.#tombstones.get(id);
      if (lastWord !== undefined) return await this.#say(carrier, lastWord);
      return await this.#goElsewhere(carrier, hello, id.slice(0, 2 * TAG_BYTES), isCarried);
    }
    const { session, carrier: replaced } = entry;
    if (session.abilities.peer?.fingerprint !== carrier.peer?.fingerprint) {
      throw refusal("the session belongs to another peer", SessionCode.DENIED);
    }
    if (!isSameUser(replaced.user, carrier.user)) {
      throw refusal("the session belongs to another user", SessionCode.DENIED);
    }
    this.#checkLimit(carrier, replaced);
    session.attach(carrier, hello);
    entry.carrier = carrier;
    this.#callbacks.onEnter?.(carrier, replaced);
  }

  /** A session is not here. In a cluster, its id says who has it, or that nobody has it any more. */
  #goElsewhere(
    carrier: Connection<Uint8Array>,
    hello: Hello,
    home: string,
    isCarried: boolean,
  ): Promise<void> {
    const elsewhere = this.#elsewhere;
    if (elsewhere === undefined) throw refusal("there is no such session", SessionCode.UNKNOWN);
    if (isCarried || home === elsewhere.tag) {
      throw refusal("there is no such session any more", SessionCode.GONE);
    }
    return elsewhere.carry(carrier, home, encodeHello(hello));
  }

  /** A session is over. Clients that may not know that are told for some time. */
  #bury(id: string, { lastWord }: SessionTransport): void {
    this.#sessions.delete(id);
    if (this.#state === "open") this.#tombstones.add(id, lastWord);
  }

  async #refuse(carrier: Connection<Uint8Array>, error: unknown): Promise<void> {
    if (!(error instanceof SessionProtocolError)) { // It failed by itself.
      carrier.abort(error);
      await carrier.closed;
      return;
    }
    const { code, message } = error;
    const said = this.#say(carrier, encodeRefused(code, message));
    const { remote, endpoint } = carrier;
    try {
      this.#callbacks.onRefuse?.({ carrier, remote, endpoint, code, reason: message });
    } catch (error) {
      // Later carriers must not suffer from this mistake, but somebody must see it.
      console.error("Error in a callback of a session acceptor:", error);
    }
    await said;
  }

  async #say(carrier: Connection<Uint8Array>, words: Uint8Array): Promise<void> {
    carrier.send(words);
    await carrier.close();
  }
}
