/** One of the connections under load. */

import type { Connection } from "../../../connection.ts";
import { type ClientContext, closeAndExplain } from "../context.ts";
import { refusalIn, type Refused } from "../refusal.ts";
import { noEcho } from "./silence.ts";
import type { Mark, Traffic } from "./traffic.ts";

/** What a member needs. */
export interface MemberOptions {
  readonly index: number;
  readonly traffic: Traffic;
  /** Milliseconds since the start. */
  now(): number;
  /** Called before a message is sent. */
  sends(member: Member, mark: Mark, now: number): void;
  /** Called with each answer that is the first one to a message. `mark` is that message. */
  answered(member: Member, mark: Mark, now: number): void;
  /** Called when it has ended before it was to end, with the reason. */
  failed(error: unknown): void;
}

/** Sends what it is told to, as fast as the peer takes it, and finds the answers in what comes. */
export class Member {
  /** The number of its next message. */
  next: number;
  /** How many of its own messages have come back. */
  answers = 0;
  /** How many answers are not waited for any more. */
  #givenUp = 0;
  readonly #first: number;
  /** Messages below this number may be sent. */
  #allowed: number;
  /** The number of the answer that comes next, if none is lost. */
  #expected: number;
  /** How many numbers below that have not come. A datagram may overtake others. */
  #missing = 0;
  #refusal: Refused | undefined;
  #state: "idle" | "sending" | "over" = "idle";
  readonly #context: ClientContext;
  readonly #connection: Connection;
  readonly #options: MemberOptions;

  /** `first` is the number of its first message. */
  constructor(
    context: ClientContext,
    connection: Connection,
    first: number,
    options: MemberOptions,
  ) {
    this.#context = context;
    this.#connection = connection;
    this.#options = options;
    this.next =
      this.#first =
      this.#allowed =
      this.#expected =
        first;
  }

  /** How many of its messages were sent. */
  get sent(): number {
    return this.next - this.#first;
  }

  /** How many of its messages were due, but are still here because the peer takes no more. */
  get unsent(): number {
    return this.#allowed - this.next;
  }

  /** Whether it neither waits to send nor for an answer. */
  get isDone(): boolean {
    return this.#state === "over" || this.unsent === 0 && this.answers + this.#givenUp >= this.sent;
  }

  /** Whether it has not ended. */
  get isOpen(): boolean {
    return this.#state !== "over";
  }

  /** Bytes that have come. */
  get bytesReceived(): number {
    return this.#connection.stats.bytesReceived;
  }

  /** Receives until the end. It never rejects. */
  async run(): Promise<void> {
    const { now } = this.#options;
    let error: unknown;
    try {
      for await (const batch of this.#connection.batches()) {
        const at = now();
        for (const message of batch) this.#take(message, at);
        if (this.#refusal !== undefined) break;
      }
    } catch (thrown) {
      error = thrown;
    }
    if (this.#state === "over") return;
    this.#state = "over";
    const ending = { refusal: this.#refusal, error, state: "before the end" };
    this.#options.failed(await closeAndExplain(this.#context, this.#connection, ending));
  }

  /** Lets it send its messages below a number. */
  allow(below: number): void {
    this.#allowed = Math.max(this.#allowed, below);
    if (this.#state === "idle") this.#send();
  }

  /** Does not wait for the answers that are missing now. */
  giveUp(): void {
    this.#givenUp = this.sent - this.answers;
  }

  /** Ends it. What is not sent yet is dropped. */
  async end(): Promise<void> {
    if (this.#state === "over") return;
    const isLeft = !this.isDone;
    this.#state = "over";
    if (isLeft) this.#connection.abort();
    await this.#connection.close();
  }

  async #send(): Promise<void> {
    this.#state = "sending";
    const { index: connection, traffic, now, sends } = this.#options;
    try {
      while (this.next < this.#allowed && this.#state === "sending") {
        const mark = { connection, number: this.next++ };
        sends(this, mark, now());
        await this.#connection.send(traffic.message(mark));
      }
    } catch {
      // What is received ends, too, and tells why.
    }
    if (this.#state === "sending") this.#state = "idle";
  }

  #take(message: Uint8Array, now: number): void {
    const { index, traffic, answered } = this.#options;
    const mark = traffic.markOf(message, index, this.#expected);
    if (mark === undefined || mark.connection === index && mark.number >= this.next) {
      return this.#takeOther(message);
    }
    if (mark.connection !== index) return answered(this, mark, now);
    if (mark.number < this.#expected) {
      if (this.#missing === 0) return; // It came twice.
      this.#missing--;
    } else {
      this.#missing += mark.number - this.#expected;
      this.#expected = mark.number + 1;
    }
    this.answers++;
    answered(this, mark, now);
  }

  /** A chat says a lot besides. An echo server says nothing else. */
  #takeOther(message: Uint8Array): void {
    this.#refusal ??= this.answers === 0 ? refusalIn(message) : undefined;
    if (this.#refusal !== undefined || this.#options.traffic.isShared) return;
    throw noEcho(message.length);
  }
}
