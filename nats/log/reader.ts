/** Reads a log: each entry once, in order, whatever happens to the broker. */

import type { Msg, NatsConnection, Subscription } from "@nats-io/nats-core";
import type { LogStream } from "./stream.ts";

/** When the broker was not heard for this time, the reading begins anew, in milliseconds. */
const MAX_SILENCE = 4_000;
/** How often that is looked at, and how long to wait after an attempt that failed. */
const TICK = 500;
/** Brokers that have just chosen a leader may not know all entries yet; after this time they do, in milliseconds. */
const SURE_AFTER = 5_000;

/** One entry of a log. */
export interface LogEntry {
  /** Its number. Each is higher than those before, but not always by one. */
  readonly seq: number;
  /** When the broker got it, by the broker's clock, in milliseconds since 1970. */
  readonly time: number;
  /** What was put in. */
  readonly bytes: Uint8Array;
}

/** Where a message stands, as the broker says it beside the message. */
interface Position {
  readonly seq: number;
  readonly delivered: number;
  readonly time: number;
}

/** Reads from a number on. */
export class LogReader {
  /** How often the reading began anew, because something was missing. */
  restarts = 0;
  readonly #nats: NatsConnection;
  readonly #stream: LogStream;
  readonly #take: (entry: LogEntry) => void;
  /** The number of the last entry that was taken. */
  #last: number;
  #subscription: Subscription | undefined;
  /** How many messages came of those that the broker counts for this subscription. */
  #delivered = 0;
  #heardAt = 0;
  /** Since when the broker says that it does not have what was read. */
  #lostSince: number | undefined;
  #state: "reading" | "starting" | "failed" | "closed" = "failed";
  readonly #timer: ReturnType<typeof setInterval>;

  /** Entries after number `after` are taken. */
  constructor(
    nats: NatsConnection,
    stream: LogStream,
    after: number,
    take: (entry: LogEntry) => void,
  ) {
    this.#nats = nats;
    this.#stream = stream;
    this.#last = after;
    this.#take = take;
    this.#timer = setInterval(() => this.#tick(), TICK);
    this.start();
  }

  /** Whether the broker says that it does not have what was read: what comes now would not follow. */
  get isLost(): boolean {
    return this.#lostSince !== undefined;
  }

  /** Whether that is sure. */
  get isCut(): boolean {
    return performance.now() - (this.#lostSince ?? Infinity) > SURE_AFTER;
  }

  /** Begins anew behind the last entry. */
  async start(): Promise<void> {
    if (this.#state === "closed") return;
    this.#subscription?.unsubscribe();
    this.#state = "starting";
    this.#delivered = 0;
    this.#heardAt = performance.now();
    const inbox = `_INBOX.${crypto.randomUUID()}`;
    const subscription = this.#subscription = this.#nats.subscribe(inbox, {
      callback: (error, message) => {
        if (error === null && this.#subscription === subscription) this.#hear(message);
      },
    });
    // It fails if the broker is away, or has no leader now. The timer tries again.
    const isStarted = await this.#deliver(inbox).catch(() => false);
    if (this.#subscription !== subscription || this.#state !== "starting") return;
    this.#state = isStarted ? "reading" : "failed";
  }

  /** Ends the reading. */
  close(): void {
    this.#state = "closed";
    clearInterval(this.#timer);
    if (!this.#nats.isClosed()) this.#subscription?.unsubscribe();
  }

  async #deliver(inbox: string): Promise<boolean> {
    if (await this.#stream.hasLost(this.#last)) this.#lostSince ??= performance.now();
    else this.#lostSince = undefined;
    if (!this.isLost) await this.#stream.deliver(inbox, this.#last + 1);
    return !this.isLost;
  }

  #tick(): void {
    const silence = performance.now() - this.#heardAt;
    if (this.#state === "reading" && silence > MAX_SILENCE) this.#again();
    else if (this.#state === "failed") this.start();
  }

  #again(): void {
    this.restarts++;
    this.start();
  }

  #hear(message: Msg): void {
    this.#heardAt = performance.now();
    const { headers, reply } = message;
    if (headers?.code === 100) {
      // A request to say how far we are, or a sign of life, with how far we should be.
      if (reply) message.respond();
      const sent = Number(headers.get("Nats-Last-Consumer"));
      if (sent > this.#delivered) this.#again();
      return;
    }
    const position = positionOf(reply);
    if (position === undefined) return;
    if (position.delivered !== this.#delivered + 1) return this.#again();
    this.#delivered++;
    if (position.seq <= this.#last) return;
    this.#last = position.seq;
    this.#take({ seq: position.seq, time: position.time, bytes: message.data });
  }
}

/**
 * Reads `$JS.ACK.[DOMAIN.ACCOUNT.]STREAM.CONSUMER.TIMES.SEQ.DELIVERED.NANOSECONDS.PENDING[.…]`. Undefined
 * if it is something else.
 */
function positionOf(reply: string | undefined): Position | undefined {
  const tokens = reply?.split(".") ?? [];
  if (tokens[0] !== "$JS" || tokens.length < 9) return undefined;
  const at = tokens.length === 9 ? 5 : 7;
  const [seq, delivered, nanoseconds] = tokens.slice(at, at + 3).map(Number);
  if (!Number.isSafeInteger(seq) || !Number.isSafeInteger(delivered)) return undefined;
  return { seq, delivered, time: Math.floor(nanoseconds / 1e6) };
}
