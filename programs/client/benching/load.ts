/** Puts a load on a peer, and measures how long its answers take. */

import { setImmediate } from "node:timers/promises";
import { pooledMap } from "@std/async/pool";
import { connect } from "../../../connect/connect.ts";
import { ConnectionLostError } from "../../../errors.ts";
import { pause } from "../../../internal/retry.ts";
import { connectAgain } from "../connecting.ts";
import type { ClientContext } from "../context.ts";
import type { Histogram } from "./histogram.ts";
import { Member } from "./member.ts";
import type { Load } from "./options.ts";
import { Schedule } from "./schedule.ts";
import { silenceOf } from "./silence.ts";
import { chatTraffic, echoTraffic, type Mark, type Traffic } from "./traffic.ts";

/** How many attempts to connect are under way at a time. */
const CONNECTING_AT_ONCE = 100;
/** The least time for which the runtime can sleep precisely, in milliseconds. Below, it turns. */
const SLEEP = 3;
/** The longest sleep, in milliseconds, after which it looks whether all has ended. */
const MAX_SLEEP = 100;
/** How often it looks whether answers are missing, in milliseconds. */
const LOOK_INTERVAL = 20;

/** Measures a load. Its figures may be read at any time. */
export class LoadRun {
  /** The latencies of what was due after the ramp. */
  readonly histogram: Histogram;
  /** Why connections could not be made, or have ended. */
  readonly failures: unknown[] = [];
  /** How many connections have been made. */
  connected = 0;
  /** The latest that this end has sent a message after it was due, in milliseconds. */
  latest = 0;
  /** How many messages were sent after the ramp. */
  sent = 0;
  /** How many of these have come back to their sender. */
  answers = 0;
  /** When the last answer came, in milliseconds since the start. */
  lastAnswerAt = 0;
  readonly load: Load;
  readonly #context: ClientContext;
  readonly #members = new Map<number, Member>();
  /** How many attempts to connect have been decided. */
  #opened = 0;
  /** When something last came, in milliseconds since the start; at first, when something was sent. */
  #heardAt = Infinity;
  readonly #running: Promise<void>[] = [];
  readonly #traffic: Traffic;
  readonly #schedule: Schedule | undefined;
  /** When the one message under way of each connection was sent, where each awaits its answer. */
  readonly #sentAt: Float64Array;
  readonly #isLossy: boolean;
  /** Messages that may still be sent, where each connection awaits its answer. */
  #left: number;
  #startedAt = performance.now();
  readonly #over = new AbortController();

  /** A run with an empty histogram. Nothing happens before {@linkcode run}. */
  constructor(context: ClientContext, load: Load, histogram: Histogram) {
    this.#context = context;
    this.load = load;
    this.histogram = histogram;
    this.#traffic = load.chat ? chatTraffic() : echoTraffic(load.size);
    this.#schedule = load.rate === undefined ? undefined : new Schedule(load.rate, load.ramp);
    this.#sentAt = new Float64Array(load.connections);
    this.#isLossy = context.endpoint.startsWith("udp:");
    this.#left = load.count;
    context.stopped.addEventListener("abort", () => this.#over.abort(), { once: true });
  }

  /** Milliseconds since the start. */
  readonly now = (): number => performance.now() - this.#startedAt;

  /** Seconds in which what is measured went on, so far. */
  get seconds(): number {
    const { ramp, rate } = this.load;
    const least = rate === undefined ? 0 : this.sent / rate * 1_000;
    return Math.max(this.lastAnswerAt - ramp, least, 1) / 1_000;
  }

  /** Bytes that have come over all connections. */
  get bytesReceived(): number {
    return this.#members.values().reduce((sum, { bytesReceived }) => sum + bytesReceived, 0);
  }

  /** Messages that were due, but that the peer has not taken yet. */
  get unsent(): number {
    return this.#members.values().reduce((sum, { unsent }) => sum + unsent, 0);
  }

  /** Runs to the end of the load, or until the user stops it. */
  async run(): Promise<void> {
    const { ramp } = this.load;
    try {
      const opening = ramp > 0 ? this.#openEvenly() : this.#openAll();
      if (ramp === 0) {
        await opening;
        this.#startedAt = performance.now();
      }
      await (this.#schedule === undefined ? this.#takeTurns() : this.#keepPace(this.#schedule));
      await opening;
      await this.#awaitAnswers();
    } finally {
      this.#over.abort();
      await Promise.allSettled(this.#members.values().map((member) => member.end()));
      await Promise.allSettled(this.#running);
    }
  }

  async #openAll(): Promise<void> {
    const all = Array.from({ length: this.load.connections }, (_, index) => index);
    for await (const _ of pooledMap(CONNECTING_AT_ONCE, all, (index) => this.#open(index)));
  }

  /** Opens one connection after the other, evenly over the ramp. */
  async #openEvenly(): Promise<void> {
    const { connections, ramp } = this.load;
    const opening: Promise<void>[] = [];
    for (let index = 0; index < connections && !this.#over.signal.aborted; index++) {
      await pause(Math.max(0, index / connections * ramp - this.now()), this.#over.signal);
      opening.push(this.#open(index));
    }
    await Promise.all(opening);
  }

  async #open(index: number): Promise<void> {
    const { endpoint, connectOptions: options, stopped } = this.#context;
    if (this.#over.signal.aborted) return;
    try {
      const connection = await connectAgain(
        () => connect(endpoint, options),
        this.#context,
        stopped,
      );
      this.connected++;
      // Its first message is the next that is due for it.
      const { connections } = this.load;
      const due = this.load.ramp > 0 ? this.#schedule?.dueBy(this.now()) ?? 0 : 0;
      const first = Math.max(0, Math.ceil((due - index) / connections));
      const member = new Member(this.#context, connection, first, {
        index,
        traffic: this.#traffic,
        now: this.now,
        sends: (_, mark, now) => this.#sends(mark, now),
        answered: (member, mark, now) => this.#answered(member, mark, now),
        failed: (error) => this.failures.push(error),
      });
      this.#members.set(index, member);
      this.#running.push(member.run());
      if (this.#schedule === undefined && this.load.ramp > 0) this.#takeTurn(member);
    } catch (error) {
      if (!this.#over.signal.aborted) this.failures.push(error);
    } finally {
      this.#opened++;
    }
  }

  /** When a message was due: by the clock, or where each connection awaits its answer, when it was sent. */
  #dueAt({ connection, number }: Mark): number {
    return this.#schedule?.dueAt(connection + number * this.load.connections) ??
      this.#sentAt[connection];
  }

  #sends(mark: Mark, now: number): void {
    if (this.#schedule === undefined) this.#sentAt[mark.connection] = now;
    if (this.#heardAt === Infinity) this.#heardAt = now;
    const due = this.#dueAt(mark);
    if (due < this.load.ramp) return;
    // Counted by the same time as its answer: the ramp may end between the decision to send and this.
    if (this.#schedule === undefined) this.#left--;
    this.sent++;
    this.latest = Math.max(this.latest, now - due);
  }

  #answered(member: Member, mark: Mark, now: number): void {
    const due = this.#dueAt(mark);
    this.#heardAt = now;
    // Where each answer is awaited, one that is not waited for any more has no time.
    const isTimed = this.#schedule !== undefined || mark.number === member.next - 1;
    if (due >= this.load.ramp && isTimed) {
      this.histogram.record(now - due);
      this.lastAnswerAt = now;
      if (this.#members.get(mark.connection) === member) this.answers++;
    }
    if (this.#schedule === undefined) this.#takeTurn(member);
  }

  /** Lets a connection send its next message, if its last one was answered. */
  #takeTurn(member: Member): void {
    const now = this.now();
    const { ramp, duration } = this.load;
    const isOver = this.#over.signal.aborted || this.#left === 0 || now >= ramp + duration;
    if (isOver || !member.isOpen || !member.isDone) return;
    member.allow(member.next + 1);
  }

  /** Each connection sends when its last message was answered. */
  async #takeTurns(): Promise<void> {
    const { ramp, duration, timeout } = this.load;
    for (const member of this.#members.values()) this.#takeTurn(member);
    while (!this.#isOver && this.now() < ramp + duration) {
      await pause(LOOK_INTERVAL, this.#over.signal);
      if (this.#left === 0 && this.#isAnswered) return;
      for (const [index, member] of this.#members) {
        if (member.isDone || this.now() - this.#sentAt[index] < timeout) continue;
        if (!this.#isLossy) await this.#missAnswer(member);
        member.giveUp();
        this.#takeTurn(member);
      }
    }
  }

  /** Ends a connection whose peer does not answer any more. */
  async #missAnswer(member: Member): Promise<void> {
    const { answers, bytesReceived } = member;
    const silence = { answers, bytesReceived, timeout: this.load.timeout };
    this.failures.push(new ConnectionLostError(silenceOf(this.#context, silence)));
    await member.end();
  }

  /** Messages are sent when they are due, whatever has been answered. */
  async #keepPace(schedule: Schedule): Promise<void> {
    const { connections, ramp, duration, count } = this.load;
    const total = Math.min(
      Math.ceil(schedule.rampCount) + count,
      schedule.countBefore(ramp + duration),
    );
    for (let index = 0; !this.#isOver && !this.#isStill;) {
      const due = Math.min(total, schedule.dueBy(this.now()));
      for (; index < due; index++) {
        this.#members.get(index % connections)?.allow(Math.floor(index / connections) + 1);
      }
      if (index === total) return;
      const wait = schedule.dueAt(index) - this.now();
      // A timer may be late by a millisecond and more, which would be measured as the peer's.
      if (wait > SLEEP) await pause(Math.min(wait - SLEEP, MAX_SLEEP), this.#over.signal);
      else await setImmediate();
    }
  }

  /** Waits for the answers that are still to come, and no longer than one may take. */
  async #awaitAnswers(): Promise<void> {
    const end = this.now() + this.load.timeout;
    while (!this.#isOver && !this.#isAnswered && this.now() < end) {
      await pause(LOOK_INTERVAL, this.#over.signal);
    }
  }

  /** Whether the user has stopped it, or no connection is left. */
  get #isOver(): boolean {
    if (this.#over.signal.aborted) return true;
    if (this.#opened < this.load.connections) return false;
    for (const { isOpen } of this.#members.values()) if (isOpen) return false;
    return true;
  }

  get #isAnswered(): boolean {
    for (const { isDone } of this.#members.values()) if (!isDone) return false;
    return true;
  }

  /** Whether all answers stay away for longer than one may take. */
  get #isStill(): boolean {
    return this.now() - this.#heardAt > this.load.timeout && !this.#isAnswered;
  }
}
