/** The bytes of TCP connections, put together from captured segments. */

import type { Waiting } from "./direction.ts";
import type { Packet } from "./packets.ts";
import { Pair } from "./pair.ts";
import type { Segment, Skipped } from "./segment.ts";
import { segmentOf } from "./segment.ts";
import type { Stream, StreamEvent } from "./stream.ts";

export type { Stream, StreamEvent };

/** Which connections are wanted, and which end of them is the server. */
export interface StreamsOptions {
  /** Whether the connection between two ends is put together; all are by default. */
  accepts?(one: string, other: string): boolean;
  /** Whether an end is known to be a server, where the opening is not in the capture. */
  isServer?(end: string): boolean;
}

/** How many bytes behind holes may wait for them, in all connections together. */
const MAX_ALL_WAITING_BYTES = 64 * 1024 * 1024;
/** How many connections are followed at a time; the one that was quiet longest goes first. */
const MAX_STREAMS = 10_000;
/** So many connections that are over are known, so that what comes late is not taken for a new one. */
const MAX_OVER = 10_000;
/** Systems give ports from here on to those who connect. */
const FIRST_EPHEMERAL_PORT = 32_768;

/** Puts connections together. Segments may be repeated, out of order, or missing. */
export class Streams {
  /** How many packets told nothing, by reason. */
  readonly skipped: Map<Skipped, number> = new Map();
  readonly #options: StreamsOptions;
  readonly #open = new Map<string, Pair>();
  readonly #over = new Set<string>();
  readonly #waiting: Waiting = { bytes: 0 };
  #count = 0;

  /** Takes all connections, if nothing else is said. */
  constructor(options: StreamsOptions = {}) {
    this.#options = options;
  }

  /** What a further packet brings. */
  add(packet: Packet): StreamEvent[] {
    const segment = segmentOf(packet);
    if (typeof segment === "string") {
      this.skipped.set(segment, (this.skipped.get(segment) ?? 0) + 1);
      return [];
    }
    const { from, to, syn, wireBytes, fin } = segment;
    if (this.#options.accepts?.(from, to) === false) return [];
    const key = keyOf(segment);
    if (syn) this.#over.delete(key);
    const isKnown = this.#open.has(key);
    if (!isKnown && (this.#over.has(key) || !syn && !fin && wireBytes === 0)) return [];
    const events: StreamEvent[] = [];
    const pair = this.#pairOf(key, segment, events);
    pair.take(segment, events);
    if (pair.isOver) this.#end(key, pair, events);
    if (this.#waiting.bytes > MAX_ALL_WAITING_BYTES) this.#relieve(events);
    return events;
  }

  /** What waited for bytes that never came. */
  end(): StreamEvent[] {
    const events: StreamEvent[] = [];
    for (const [key, pair] of this.#open) this.#end(key, pair, events);
    return events;
  }

  #pairOf(key: string, segment: Segment, events: StreamEvent[]): Pair {
    let pair = this.#open.get(key);
    if (pair !== undefined && segment.syn && pair.isOlderThan(segment)) {
      this.#end(key, pair, events); // The same two ports, used again.
      this.#over.delete(key);
      pair = undefined;
    }
    this.#open.delete(key);
    pair ??= new Pair(this.#streamOf(segment), this.#waiting);
    this.#open.set(key, pair); // The last is the one that was heard last.
    if (this.#open.size > MAX_STREAMS) {
      const [oldest, quiet] = this.#open.entries().next().value!;
      this.#end(oldest, quiet, events);
      this.#over.delete(oldest); // It was only quiet.
    }
    return pair;
  }

  #streamOf({ from, to, syn, acknowledged, time }: Segment): Stream {
    const fromServer = syn ? acknowledged !== undefined : this.#comesFromServer(from, to);
    const [client, server] = fromServer ? [to, from] : [from, to];
    return { number: ++this.#count, client, server, time, begins: syn };
  }

  #comesFromServer(from: string, to: string): boolean {
    const { isServer } = this.#options;
    if (isServer !== undefined && isServer(from) !== isServer(to)) return isServer(from);
    return portOf(from) < FIRST_EPHEMERAL_PORT && portOf(to) >= FIRST_EPHEMERAL_PORT;
  }

  #end(key: string, pair: Pair, events: StreamEvent[]): void {
    pair.end(events);
    this.#open.delete(key);
    this.#over.add(key);
    if (this.#over.size > MAX_OVER) this.#over.delete(this.#over.values().next().value!);
  }

  /** Too much waits: the holes of those that were quiet longest are given up. */
  #relieve(events: StreamEvent[]): void {
    for (const pair of this.#open.values()) {
      pair.skipHoles(events);
      if (this.#waiting.bytes <= MAX_ALL_WAITING_BYTES) return;
    }
  }
}

/** The port of an end, as in `127.0.0.1:1234` or `[::1]:1234`. */
export function portOf(end: string): number {
  return Number(end.slice(end.lastIndexOf(":") + 1));
}

function keyOf({ from, to }: Segment): string {
  return from < to ? `${from} ${to}` : `${to} ${from}`;
}
