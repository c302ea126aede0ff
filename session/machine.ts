/**
 * The session protocol without sockets, clocks and randomness. docs/protocol.md describes it.
 *
 * The driver gives it the time as `now` or `clock`, frames with `receive()`, and bytes with
 * `write()`. It gets frames with `poll()`, and bytes with `take()`. After each call the driver
 * looks at `deadline`, `carrierState` and `outcome`.
 *
 * The machine brings frames to its parts, asks them in turn for frames to send, and tells them when
 * carriers come and go. Each part has one task: what both ends agree on (`greeting.ts`), the
 * streams (`incoming.ts`, `outgoing.ts`), when ACK is due (`acknowledgments.ts`), PING and PONG
 * (`questions.ts`), silence (`heartbeat.ts`), DRAIN (`draining.ts`), how long a session may have no
 * carrier (`expiry.ts`), and how carrier and session end (`life.ts`).
 */

import type { EndInfo } from "../codec.ts";
import { SessionProtocolError } from "../errors.ts";
import { Acknowledgments } from "./acknowledgments.ts";
import { SessionCode } from "./codes.ts";
import { Draining } from "./draining.ts";
import { Expiry } from "./expiry.ts";
import { noAnswer, notWorking, refusedBy, unexpected } from "./faults.ts";
import { Greeting } from "./greeting.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Incoming } from "./incoming.ts";
import { Life } from "./life.ts";
import type { ResolvedSessionOptions } from "./options.ts";
import type { CarrierState, Outcome } from "./outcome.ts";
import { Outgoing } from "./outgoing.ts";
import { Questions } from "./questions.ts";
import { ServerGreeting } from "./server_greeting.ts";
import { decodeFrame, type Frame, FrameType, type Hello, type Welcome } from "./wire.ts";

/** How long an end that has finished waits for the other end to finish, in milliseconds. */
export const LINGER_TIME = 5_000;

/** One end of a session. */
export class Machine {
  readonly in: Incoming;
  readonly out: Outgoing;
  readonly heartbeat: Heartbeat;

  readonly #options: ResolvedSessionOptions;
  readonly #greeting: Greeting;
  readonly #acknowledgments: Acknowledgments;
  readonly #questions: Questions;
  readonly #draining: Draining;
  readonly #expiry: Expiry;
  readonly #life = new Life();
  #lingerDue = Infinity;

  /** A server gives the id; a client has none before the first WELCOME. */
  constructor(role: "client" | "server", options: ResolvedSessionOptions, id?: string) {
    this.#options = options;
    this.out = new Outgoing(options.maxUnacknowledgedBytes);
    this.in = new Incoming(options.window);
    const GreetingOfRole = role === "server" ? ServerGreeting : Greeting;
    this.#greeting = new GreetingOfRole(options, this.in, id);
    this.#acknowledgments = new Acknowledgments(this.in);
    this.heartbeat = new Heartbeat(options.heartbeatInterval, options.heartbeatTimeout);
    this.#questions = new Questions(this.heartbeat);
    this.#draining = new Draining(role);
    this.#expiry = new Expiry(options.helloTimeout);
  }

  /** Whether there is a carrier on which both ends have greeted. */
  get isAttached(): boolean {
    return this.#life.link === "attached";
  }

  /** What the driver must do with the carrier. */
  get carrierState(): CarrierState {
    return this.#life.carrierState;
  }

  /** Set once the session is over. */
  get outcome(): Outcome | undefined {
    return this.#life.outcome;
  }

  /** The frame for a client that comes back after the session is over here, if there is one. */
  get lastWord(): Uint8Array | undefined {
    return this.#life.lastWord;
  }

  /** Why the server asks for another session elsewhere; undefined if it does not. */
  get drainReason(): string | undefined {
    return this.#draining.reason;
  }

  /** How often the session continued with another carrier. */
  get resumes(): number {
    return this.#greeting.resumes;
  }

  /**
   * How long a session without a carrier is kept, in milliseconds: the smaller value of both ends.
   */
  get retentionTime(): number {
    return this.#greeting.retentionTime;
  }

  /**
   * Whether both streams are over, as far as this end knows. It may still have to acknowledge the
   * other stream.
   */
  get isComplete(): boolean {
    return this.out.acked === this.out.total && this.in.ended !== undefined;
  }

  /**
   * A measure of progress: the acknowledged bytes of this end's stream, and the received bytes of
   * the other.
   */
  get progress(): number {
    return this.out.acked + this.in.received;
  }

  /** The code and text of the peer's END, after all bytes before it were taken. */
  get peerEnd(): EndInfo | undefined {
    return this.in.isOver ? this.in.ended : undefined;
  }

  /** When the driver must call `timeout()`. */
  get deadline(): number {
    if (this.outcome !== undefined) return Infinity;
    const later = Math.min(this.#expiry.deadline, this.heartbeat.deadline);
    const { deadline: ackDue } = this.#acknowledgments;
    return Math.min(this.#greeting.deadline, this.#lingerDue, ackDue, later);
  }

  /**
   * There is a new carrier. It replaces any other carrier. On a server it comes with the client's
   * HELLO; on a client it may go to another server than the one that opened the session.
   *
   * @throws {SessionProtocolError} for a HELLO that is late or not possible. Then the other carrier
   * stays.
   */
  attach(now: number, hello?: Hello, isElsewhere = false): void {
    if (hello !== undefined) {
      this.#greeting.check(hello);
      this.out.checkResume(hello.received);
    }
    this.detach(now);
    this.#life.attach(isElsewhere);
    this.#greeting.start(now);
    if (hello !== undefined) this.#greeted(hello, now);
  }

  /** The carrier is gone. `isOrderly` says that the peer closed it. */
  detach(now: number, isOrderly = false): void {
    const wasAttached = this.isAttached;
    this.#life.detach();
    this.#greeting.stop();
    this.#acknowledgments.stop();
    this.#questions.stop();
    this.heartbeat.stop();
    this.#draining.stop();
    if (!wasAttached || this.outcome !== undefined) return;
    // The limit for the peer does not matter any more.
    if (isOrderly && this.isComplete && this.in.isAcknowledged) this.#life.close();
    else this.#expiry.start(now + this.#greeting.patience);
  }

  /** A frame arrived. */
  receive(bytes: Uint8Array, now: number): void {
    const { link, outcome, carrierState } = this.#life;
    if (link === "detached" || outcome !== undefined) return;
    if (typeof carrierState === "object") return; // The first error counts.
    this.heartbeat.received(now);
    try {
      const frame = decodeFrame(bytes);
      if (link === "greeting") this.#answered(frame, now);
      else this.#take(frame, now);
    } catch (error) {
      if (!(error instanceof SessionProtocolError)) throw error;
      // Before the greeting the peer may be anybody. It must not be able to end the session.
      if (link === "greeting") this.#life.drop(noAnswer(error, bytes));
      else this.#violated(error);
    }
  }

  /** Takes the start of a chunk; returns how many bytes it took, 0 when there is no space now. */
  write(chunk: Uint8Array, endsMessage: boolean): number {
    const bytes = this.out.write(chunk, endsMessage, !this.isAttached);
    // The peer sends ACK after a part of its window, and that part may be larger than all that is
    // kept here.
    if (bytes === 0 && this.out.isHalfFull) this.askForAck();
    return bytes;
  }

  /** Nothing more will be written. */
  end(info: EndInfo): void {
    this.out.end ??= info;
  }

  /** The next chunk for the reader. See {@linkcode Incoming.take}. */
  take(target?: Uint8Array): Uint8Array | undefined {
    return this.in.take(target);
  }

  /** Asks the peer for an acknowledgment as soon as everything is sent. */
  askForAck(): void {
    this.#questions.askForAck();
  }

  /**
   * Asks the client to open another session elsewhere.
   *
   * @throws {TypeError} on a client, which has nobody to send elsewhere.
   */
  drain(reason: string): void {
    this.#draining.tell(reason);
  }

  /** Ends the session at once. The peer is told if that is possible. */
  abort(code: number, text: string, cause?: unknown): void {
    this.#life.abort(code, text, cause);
  }

  /** Ends the session without telling the peer. */
  lose(state: string, cause?: unknown): void {
    this.#life.lose(state, SessionCode.EXPIRED, cause);
  }

  /** Looks at the clock. */
  timeout(now: number): void {
    if (this.outcome !== undefined) return;
    this.#acknowledgments.timeout(now);
    if (this.#greeting.isLate(now)) {
      const { helloTimeout } = this.#options;
      this.#life.drop(notWorking(`no WELCOME came within ${helloTimeout} ms`));
    }
    if (this.heartbeat.isLost(now)) {
      this.heartbeat.stop();
      const { heartbeatInterval, heartbeatTimeout } = this.#options;
      const silence = heartbeatInterval + heartbeatTimeout;
      this.#life.drop(notWorking(`the peer was silent for ${silence} ms`));
    }
    if (now >= this.#lingerDue) this.#closeUnheard();
    else if (this.#expiry.isOver(now)) this.#expire();
  }

  /**
   * The next frame to send. The caller copies it at once, unless `out.hold()` holds it. With
   * `onlyFull`, small frames may wait. Only PING uses the clock, because most frames need no time.
   */
  poll(clock: () => number, onlyFull = false): Uint8Array | undefined {
    const { link, outcome } = this.#life;
    if (link === "detached") return undefined;
    if (outcome !== undefined) return this.#life.nextReset();
    if (this.#greeting.isDue) {
      this.#acknowledgments.told();
      return this.#greeting.next();
    }
    if (link === "greeting") return undefined;
    return this.#acknowledgments.next(this.#questions.isAsked) ?? this.#questions.next(clock) ??
      this.#draining.next() ?? this.out.next(onlyFull) ??
      this.#questions.nextAfterBytes(this.out, clock);
  }

  /** Both ends have greeted. */
  #greeted(peer: Hello | Welcome, now: number): void {
    this.#greeting.agree(peer);
    this.#life.greeted();
    this.#expiry.stop();
    this.heartbeat.start(now);
    this.#draining.start();
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
        return this.#greeted(frame, now);
      case FrameType.REFUSED:
        return this.#refused(frame.code, frame.text);
      case FrameType.RESET:
        return this.#life.wasReset(frame.code, frame.text);
      default:
        throw unexpected("no WELCOME came before it");
    }
  }

  #refused(code: number, text: string): void {
    const error = refusedBy(code, text, this.#life.isElsewhere);
    // A server forgets a session that it has finished.
    if (this.isComplete) this.#life.close();
    else if (!error.isRetriable) this.#life.lose(`the server refused it: ${text}`, code, error);
    this.#life.drop(error);
  }

  #take(frame: Frame, now: number): void {
    this.#greeting.confirm();
    switch (frame.type) {
      case FrameType.DATA:
        this.in.data(frame.offset, frame.bytes);
        return this.#acknowledgments.received(now);
      case FrameType.ACK:
        this.out.acknowledge(frame.received, frame.limit);
        break;
      case FrameType.PING:
        return this.#questions.asked(frame.token);
      case FrameType.PONG:
        return this.heartbeat.pong(frame.token, now);
      case FrameType.END:
        this.in.end(frame.offset, frame.info);
        break;
      case FrameType.RESET:
        return this.#life.wasReset(frame.code, frame.text);
      case FrameType.DRAIN:
        return this.#draining.told(frame.text);
      default:
        throw unexpected("the greeting is over");
    }
    this.#settle(now);
  }

  /** Closes the carrier if both ends have finished. */
  #settle(now: number): void {
    if (!this.isComplete || this.outcome !== undefined) return;
    this.#lingerDue = Math.min(this.#lingerDue, now + LINGER_TIME);
    this.#life.closeCarrier();
  }

  /** The peer broke the rules. Nothing that it sends can be trusted any more. */
  #violated(error: SessionProtocolError): void {
    this.#life.abort(error.code, error.message, error);
  }

  #expire(): void {
    if (this.in.ended !== undefined && this.out.acked === this.out.written) {
      // Only the acknowledgment of this end's END is missing. Nothing is lost.
      this.#closeUnheard();
    } else {
      const state = `the peer stayed away for ${this.retentionTime} ms`;
      this.#life.lose(state, SessionCode.EXPIRED);
    }
  }

  /** Closes in order, although the peer may not know that this end has everything. */
  #closeUnheard(): void {
    this.#life.close(this.#greeting.farewell());
  }
}
