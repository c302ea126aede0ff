/**
 * The session protocol without sockets, clocks and randomness: docs/protocol.md says what it does.
 *
 * Time comes in as `now` or `clock`, frames by `receive()`, bytes by `write()`; frames are fetched by `poll()`,
 * bytes by `take()`. After each call the driver looks at `deadline`, `carrierState` and `outcome`.
 */

import type { EndInfo } from "../codec.ts";
import { ConnectionLostError, SessionProtocolError, SessionRefusedError } from "../errors.ts";
import { quoted } from "../printable.ts";
import { isRetriable, SessionCode } from "./codes.ts";
import { Expiry } from "./expiry.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Incoming } from "./incoming.ts";
import type { ResolvedSessionOptions } from "./options.ts";
import type { CarrierState, Outcome } from "./outcome.ts";
import { Outgoing } from "./outgoing.ts";
import {
  decodeFrame,
  encodeAck,
  encodeDrain,
  encodeHello,
  encodePing,
  encodePong,
  encodeReset,
  encodeWelcome,
  type Frame,
  FrameType,
  type Hello,
  type Welcome,
} from "./wire.ts";

/** How long received bytes may stay unacknowledged, in milliseconds. */
export const ACK_DELAY = 25;
/** How long an end that is done waits for the other one to be done, in milliseconds. */
export const LINGER_TIME = 5_000;

/** One end of a session. */
export class Machine {
  readonly out: Outgoing;
  readonly heartbeat: Heartbeat;
  carrierState: CarrierState = "keep";
  /** Set once the session is over. */
  outcome: Outcome | undefined;
  /** How often it went on with another carrier. */
  resumes = 0;
  /** Why the other end is to be left for another one. */
  drainReason: string | undefined;
  /** How long a session without carrier is kept, in milliseconds: the smaller wish of both ends. */
  retentionTime: number;

  readonly #role: "client" | "server";
  readonly #options: ResolvedSessionOptions;
  readonly #in: Incoming;
  readonly #expiry: Expiry;
  #id: string | undefined;
  #link: "detached" | "greeting" | "attached" = "detached";
  /** The last HELLO that was sent, or taken. */
  #attempt = 0;
  /** Whether the client is known to know the id. */
  #isConfirmed = false;
  #helloDue = Infinity;
  #lingerDue = Infinity;
  #ackDue = Infinity;
  #wants = { hello: false, ack: false, drain: false, answer: false };
  #pongToken: number | undefined;
  /** Up to where the peer was asked on this carrier what it has received. */
  #askedAt = -1;
  /** The last word to a peer that may not know that the session is over. */
  #lastWord: Uint8Array | undefined;

  /** A server gives the id; a client has none before the first WELCOME. */
  constructor(role: "client" | "server", options: ResolvedSessionOptions, id?: string) {
    this.#role = role;
    this.#options = options;
    this.#id = id;
    this.retentionTime = options.retentionTime;
    this.out = new Outgoing(options.maxUnacknowledgedBytes);
    this.#in = new Incoming(options.window);
    this.#expiry = new Expiry(options.helloTimeout);
    this.heartbeat = new Heartbeat(options.heartbeatInterval, options.heartbeatTimeout);
  }

  /** Whether there is a carrier on which both ends have greeted. */
  get isAttached(): boolean {
    return this.#link === "attached";
  }

  /** Whether both streams are over as far as this end can know: it may only have to tell so. */
  get isComplete(): boolean {
    return this.out.acked === this.out.total && this.#in.ended !== undefined;
  }

  /** Bytes received both ways that the other end is known to know of: a measure of progress. */
  get progress(): number {
    return this.out.acked + this.#in.received;
  }

  /** What the peer said about its end, once everything before it was taken. */
  get peerEnd(): EndInfo | undefined {
    return this.#in.isOver ? this.#in.ended : undefined;
  }

  /** When `timeout()` is to be called. */
  get deadline(): number {
    if (this.outcome !== undefined) return Infinity;
    const later = Math.min(this.#expiry.deadline, this.heartbeat.deadline);
    return Math.min(this.#helloDue, this.#lingerDue, this.#ackDue, later);
  }

  /** What a client that comes back is to be told of a session that is over here, if anything. */
  get lastWord(): Uint8Array | undefined {
    return this.#lastWord;
  }

  /**
   * There is a new carrier, in the place of any other; on a server, with the client's HELLO.
   *
   * @throws {SessionProtocolError} for a HELLO that is late or cannot be; the other one stays then.
   */
  attach(now: number, hello?: Hello): void {
    if (hello !== undefined) this.#checkHello(hello);
    this.detach(now);
    this.carrierState = "keep";
    this.#wants.hello = true;
    if (hello !== undefined) return this.#greeted(hello, now);
    this.#link = "greeting";
    this.#helloDue = now + this.#options.helloTimeout;
  }

  /** A client that has greeted again meanwhile has given this carrier up. */
  #checkHello({ attempt, received }: Hello): void {
    if (attempt <= this.#attempt) {
      throw new SessionProtocolError(
        `Cannot take carrier in: it is attempt ${attempt}, and attempt ${this.#attempt} came before`,
        SessionCode.STALE,
      );
    }
    this.out.checkResume(received);
    this.#attempt = attempt;
  }

  /** The carrier is gone; `isOrderly` if the peer closed it. */
  detach(now: number, isOrderly = false): void {
    const wasAttached = this.#link === "attached";
    this.#link = "detached";
    this.carrierState = "keep";
    this.#helloDue = this.#ackDue = Infinity;
    this.#wants = { hello: false, ack: false, drain: false, answer: false };
    this.#pongToken = undefined;
    this.#askedAt = -1;
    this.heartbeat.stop();
    if (!wasAttached || this.outcome !== undefined) return;
    if (isOrderly && this.isComplete && !this.#in.isNews) {
      this.outcome = { kind: "closed" };
      return;
    }
    // An id that never reached its client will not be asked for.
    const isGhost = this.#role === "server" && !this.#isConfirmed;
    const { helloTimeout } = this.#options;
    this.#expiry.start(now + Math.min(this.retentionTime, isGhost ? helloTimeout : Infinity));
  }

  /** A frame arrived. */
  receive(bytes: Uint8Array, now: number): void {
    if (this.#link === "detached" || this.outcome !== undefined) return;
    if (typeof this.carrierState === "object") return; // What went wrong first is what went wrong.
    this.heartbeat.received(now);
    try {
      const frame = decodeFrame(bytes);
      if (this.#link === "greeting") this.#answered(frame, now);
      else this.#take(frame, now);
    } catch (error) {
      if (!(error instanceof SessionProtocolError)) throw error;
      // Before the greeting it may be anybody, who must not end the session.
      if (this.#link === "greeting") this.#dropCarrier(noAnswer(error, bytes));
      else this.#violated(error);
    }
  }

  /** Takes the start of a chunk; returns how many bytes, 0 when there is no room now. */
  write(chunk: Uint8Array, endsMessage: boolean): number {
    const bytes = this.out.write(chunk, endsMessage, this.#link !== "attached");
    // The peer tells when a part of its window is full, which may be more than is kept here.
    if (bytes === 0 && this.out.isHalfFull) this.askForAck();
    return bytes;
  }

  /** Nothing more will be written. */
  end(info: EndInfo): void {
    this.out.end ??= info;
  }

  /** The next chunk for the reader. */
  take(): Uint8Array | undefined {
    return this.#in.take();
  }

  /** Asks the peer for an acknowledgment as soon as everything is sent. */
  askForAck(): void {
    this.#wants.answer = true;
  }

  /**
   * Tells the other end to go elsewhere.
   *
   * @throws {TypeError} on a client, which has nobody to send elsewhere.
   */
  drain(reason: string): void {
    if (this.#role === "client") throw new TypeError("Cannot drain session: only a server can");
    this.drainReason = reason;
    this.#wants.drain = true;
  }

  /** Ends the session at once; the peer is told if it can be. */
  abort(code: number, text: string, cause?: unknown): void {
    if (this.outcome !== undefined) return;
    this.#lastWord = encodeReset(code, text);
    this.#lose(text, code, cause);
    if (this.#link === "attached") this.carrierState = "close";
  }

  /** Ends the session without a word. */
  lose(state: string, cause?: unknown): void {
    if (this.outcome === undefined) this.#lose(state, SessionCode.EXPIRED, cause);
  }

  /** Looks at the clock. */
  timeout(now: number): void {
    if (this.outcome !== undefined) return;
    if (now >= this.#ackDue) {
      this.#ackDue = Infinity;
      this.#wants.ack = true;
    }
    if (now >= this.#helloDue) {
      this.#helloDue = Infinity;
      const { helloTimeout } = this.#options;
      this.#dropCarrier(notWorking(`no WELCOME came within ${helloTimeout} ms`));
    }
    if (this.heartbeat.isLost(now)) {
      this.heartbeat.stop();
      const { heartbeatInterval, heartbeatTimeout } = this.#options;
      const silence = heartbeatInterval + heartbeatTimeout;
      this.#dropCarrier(notWorking(`the peer was silent for ${silence} ms`));
    }
    if (now >= this.#lingerDue) this.#closeUnheard();
    else if (this.#expiry.isOver(now)) this.#expire();
  }

  /**
   * The next frame to send, to be copied at once. With `onlyFull`, small ones may wait. The clock is
   * looked at for questions only: most frames need no time.
   */
  poll(clock: () => number, onlyFull = false): Uint8Array | undefined {
    if (this.#link === "detached") return undefined;
    if (this.outcome !== undefined) return this.#pollReset();
    if (this.#wants.hello) {
      this.#wants.hello = false;
      this.#told();
      return this.#role === "client" ? this.#hello() : this.#welcome();
    }
    if (this.#link === "greeting") return undefined;
    const { isNews, isMuchNews } = this.#in;
    if (isNews && (isMuchNews || this.#wants.ack || this.#pongToken !== undefined)) {
      this.#told();
      return encodeAck(this.#in.received, this.#in.limit);
    }
    if (this.#pongToken !== undefined) {
      const token = this.#pongToken;
      this.#pongToken = undefined;
      return encodePong(token);
    }
    if (this.heartbeat.wantsPing) return encodePing(this.heartbeat.ping(clock()));
    if (this.#wants.drain) {
      this.#wants.drain = false;
      return encodeDrain(this.drainReason!);
    }
    return this.out.next(onlyFull) ?? this.#pollAnswer(clock);
  }

  #pollReset(): Uint8Array | undefined {
    if (this.#link !== "attached" || this.outcome?.kind !== "lost") return undefined;
    const reset = this.#lastWord;
    this.#lastWord = undefined;
    return reset;
  }

  #pollAnswer(clock: () => number): Uint8Array | undefined {
    if (!this.#wants.answer || this.out.sent < this.out.written) return undefined;
    this.#wants.answer = false;
    if (this.#askedAt === this.out.sent) return undefined; // The answer is on its way.
    this.#askedAt = this.out.sent;
    return encodePing(this.heartbeat.ping(clock()));
  }

  #told(): void {
    this.#in.tell();
    this.#wants.ack = false;
    this.#ackDue = Infinity;
  }

  #hello(): Uint8Array {
    const { received, limit } = this.#in;
    const { retentionTime } = this.#options;
    return encodeHello({ id: this.#id, received, limit, retentionTime, attempt: ++this.#attempt });
  }

  #welcome(): Uint8Array {
    const { received, limit } = this.#in;
    const { retentionTime } = this;
    const isResumed = this.resumes > 0 || this.outcome !== undefined;
    return encodeWelcome({ isResumed, id: this.#id!, received, limit, retentionTime });
  }

  /** Both ends have greeted. */
  #greeted(peer: Hello | Welcome, now: number): void {
    this.#link = "attached";
    this.#helloDue = Infinity;
    this.#expiry.stop();
    if (peer.type === FrameType.HELLO ? peer.id !== undefined : peer.isResumed) this.resumes++;
    this.retentionTime = Math.min(this.#options.retentionTime, peer.retentionTime);
    this.heartbeat.start(now);
    this.#wants.drain = this.drainReason !== undefined && this.#role === "server";
    try {
      this.out.resume(peer.received, peer.limit);
    } catch (error) {
      this.#violated(error as SessionProtocolError);
    }
    this.#settle(now);
  }

  /** The server's answer to HELLO. */
  #answered(frame: Frame, now: number): void {
    switch (frame.type) {
      case FrameType.WELCOME:
        if (frame.isResumed !== (this.#id !== undefined) || frame.id !== (this.#id ?? frame.id)) {
          throw unexpected("it is of another session");
        }
        this.#id = frame.id;
        return this.#greeted(frame, now);
      case FrameType.REFUSED:
        return this.#refused(frame.code, frame.text);
      case FrameType.RESET:
        return this.#wasReset(frame.code, frame.text);
      default:
        throw unexpected("no WELCOME came before it");
    }
  }

  #refused(code: number, text: string): void {
    const error = new SessionRefusedError(
      `Cannot open session: the server refused it: ${text}`,
      code,
      isRetriable(code),
    );
    // A server that is done with a session forgets it.
    if (this.isComplete) this.outcome = { kind: "closed" };
    else if (!error.isRetriable) this.#lose(`the server refused it: ${text}`, code, error);
    this.#dropCarrier(error);
  }

  #wasReset(code: number, text: string): void {
    this.#lose(`the peer ended it: ${text}`, code);
    this.carrierState = "close";
  }

  #take(frame: Frame, now: number): void {
    this.#isConfirmed = true;
    switch (frame.type) {
      case FrameType.DATA:
        this.#in.data(frame.offset, frame.bytes);
        if (this.#ackDue === Infinity) this.#ackDue = now + ACK_DELAY;
        return;
      case FrameType.ACK:
        this.out.acknowledge(frame.received, frame.limit);
        break;
      case FrameType.PING:
        this.#pongToken = frame.token;
        return;
      case FrameType.PONG:
        return this.heartbeat.pong(frame.token, now);
      case FrameType.END:
        this.#in.end(frame.offset, frame.info);
        break;
      case FrameType.RESET:
        return this.#wasReset(frame.code, frame.text);
      case FrameType.DRAIN:
        if (this.#role === "server") {
          throw unexpected("it is a server that sends clients elsewhere");
        }
        this.drainReason = frame.text;
        return;
      default:
        throw unexpected("the greeting is over");
    }
    this.#settle(now);
  }

  /** Both ends may be done. */
  #settle(now: number): void {
    if (!this.isComplete || this.outcome !== undefined) return;
    this.#lingerDue = Math.min(this.#lingerDue, now + LINGER_TIME);
    this.carrierState = "close";
  }

  /** The peer itself broke the rules: nothing that it says can be trusted any more. */
  #violated(error: SessionProtocolError): void {
    this.abort(error.code, error.message, error);
  }

  #dropCarrier(error: Error): void {
    this.carrierState = { error };
  }

  #expire(): void {
    if (this.#in.ended !== undefined && this.out.acked === this.out.written) {
      // Only the peer's word that it got this end's end is missing: nothing is lost.
      this.#closeUnheard();
    } else {
      this.#lose(`the peer stayed away for ${this.retentionTime} ms`, SessionCode.EXPIRED);
    }
  }

  /** Closes in order, although the peer may not know that this end has everything. */
  #closeUnheard(): void {
    this.outcome = { kind: "closed" };
    if (this.#role === "server") this.#lastWord = this.#welcome();
    // A carrier that waits for its answer would wait for nothing.
    if (this.#link === "greeting") this.#dropCarrier(notWorking("the session is over"));
  }

  #lose(state: string, code: number, cause?: unknown): void {
    this.outcome = { kind: "lost", state, code, cause };
    if (this.#link !== "detached") this.#dropCarrier(notWorking("the session is over"));
  }
}

function notWorking(state: string): ConnectionLostError {
  return new ConnectionLostError(`Cannot use carrier: ${state}`);
}

function unexpected(state: string): SessionProtocolError {
  return new SessionProtocolError(
    `Cannot receive session frame: ${state}`,
    SessionCode.UNEXPECTED,
  );
}

/** What a client is told of a server that answers HELLO with something else. */
function noAnswer(
  { code, message }: SessionProtocolError,
  bytes: Uint8Array,
): SessionProtocolError {
  const words = quoted(bytes);
  const state = words === ""
    ? message.replace(/^Cannot receive session frame: /, "")
    : `its first message is${words}`;
  return new SessionProtocolError(
    `Cannot use carrier: the server does not speak of sessions, ${state}`,
    code,
  );
}
