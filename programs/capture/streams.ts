/** The bytes of TCP connections, put together from captured segments. */

import type { Segment, Skipped } from "./segment.ts";
import { segmentOf } from "./segment.ts";
import type { Packet } from "./packets.ts";

/** One connection in a capture. */
export interface Stream {
  /** 1 for the first in the capture, and so on. */
  readonly number: number;
  /** Who opened it, as far as the capture tells: else who is seen first. */
  readonly client: string;
  /** The other end. */
  readonly server: string;
}

/** What happened on a connection. */
export interface StreamEvent {
  readonly stream: Stream;
  /** Whose direction this is about. */
  readonly from: "client" | "server";
  /** When the segment was captured that brought it, in milliseconds since 1970. */
  readonly time: number;
  /** The next bytes in this direction. */
  readonly bytes?: Uint8Array;
  /** So many bytes in this direction are not in the capture. */
  readonly missing?: number;
  /** The end of this direction: in order, or of both at once. */
  readonly end?: "closed" | "reset";
}

/** How many bytes behind a hole may wait for it. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** How many connections are followed at a time; the one that was quiet longest goes first. */
const MAX_STREAMS = 10_000;

/** Puts connections together. Segments may be repeated, out of order, or missing. */
export class Streams {
  /** How many packets told nothing, by reason. */
  readonly skipped: Map<Skipped, number> = new Map();
  readonly #open = new Map<string, Pair>();
  #count = 0;

  /** What a further packet brings. */
  add(packet: Packet): StreamEvent[] {
    const segment = segmentOf(packet);
    if (typeof segment === "string") {
      this.skipped.set(segment, (this.skipped.get(segment) ?? 0) + 1);
      return [];
    }
    const events: StreamEvent[] = [];
    const pair = this.#pairOf(segment, events);
    pair.take(segment, events);
    if (pair.isOver) this.#open.delete(keyOf(segment));
    return events;
  }

  /** What waited for bytes that never came. */
  end(): StreamEvent[] {
    const events: StreamEvent[] = [];
    for (const pair of this.#open.values()) pair.giveUp(events);
    this.#open.clear();
    return events;
  }

  #pairOf(segment: Segment, events: StreamEvent[]): Pair {
    const key = keyOf(segment);
    let pair = this.#open.get(key);
    if (pair !== undefined && segment.syn && pair.isOlderThan(segment)) {
      pair.giveUp(events); // The same two ports, used again.
      pair = undefined;
    }
    this.#open.delete(key);
    if (pair === undefined) {
      const isAnswer = segment.syn && segment.acknowledged !== undefined;
      const [client, server] = isAnswer ? [segment.to, segment.from] : [segment.from, segment.to];
      pair = new Pair({ number: ++this.#count, client, server });
    }
    this.#open.set(key, pair); // The last is the one that was heard last.
    if (this.#open.size > MAX_STREAMS) {
      const [oldest, quiet] = this.#open.entries().next().value!;
      quiet.giveUp(events);
      this.#open.delete(oldest);
    }
    return pair;
  }
}

function keyOf({ from, to }: Segment): string {
  return from < to ? `${from} ${to}` : `${to} ${from}`;
}

/** Both directions of a connection. */
class Pair {
  readonly #stream: Stream;
  readonly #directions: Record<StreamEvent["from"], Direction>;
  #isReset = false;

  constructor(stream: Stream) {
    this.#stream = stream;
    this.#directions = {
      client: new Direction(stream, "client"),
      server: new Direction(stream, "server"),
    };
  }

  get isOver(): boolean {
    const { client, server } = this.#directions;
    return this.#isReset || client.isOver && server.isOver;
  }

  /** Whether a segment that opens a connection opens another one than this. */
  isOlderThan(segment: Segment): boolean {
    return this.#of(segment).began(segment) === false;
  }

  take(segment: Segment, events: StreamEvent[]): void {
    const own = this.#of(segment);
    const other = own === this.#directions.client
      ? this.#directions.server
      : this.#directions.client;
    if (segment.acknowledged !== undefined) other.acknowledge(segment, events);
    own.take(segment, events);
    if (!segment.rst) return;
    this.#isReset = true;
    other.giveUp(events);
    own.giveUp(events);
    own.tell(events, segment.time, { end: "reset" });
  }

  giveUp(events: StreamEvent[]): void {
    for (const direction of Object.values(this.#directions)) direction.giveUp(events);
  }

  #of({ from }: Segment): Direction {
    return from === this.#stream.client ? this.#directions.client : this.#directions.server;
  }
}

/** A part of a direction that came before what stands in front of it. */
interface Part {
  readonly time: number;
  /** The place of its first byte, counted from the first byte of the direction. */
  readonly start: number;
  readonly bytes: Uint8Array;
  /** How many bytes the wire had: those that were not captured are missing. */
  readonly size: number;
}

/** One direction of a connection. */
class Direction {
  readonly #stream: Stream;
  readonly #from: StreamEvent["from"];
  /** The sequence number of the first byte. */
  #first: number | undefined;
  /** How many bytes were told, missing ones among them. */
  #next = 0;
  /** How many bytes the other end has said that it has. */
  #acknowledged = 0;
  /** Where the direction ends, if its end was seen. */
  #end: number | undefined;
  #endTime = 0;
  #waiting: Part[] = [];
  #waitingBytes = 0;
  #isOver = false;

  constructor(stream: Stream, from: StreamEvent["from"]) {
    this.#stream = stream;
    this.#from = from;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether this segment opened this direction. Undefined if its opening was not seen. */
  began({ sequence, wireBytes }: Segment): boolean | undefined {
    if (this.#first === undefined) return undefined;
    return this.#first === ((sequence + 1) >>> 0) && wireBytes === 0;
  }

  take(segment: Segment, events: StreamEvent[]): void {
    const { syn, fin, bytes, wireBytes, time } = segment;
    const sequence = syn ? (segment.sequence + 1) >>> 0 : segment.sequence;
    if (this.#first === undefined) {
      if (!syn && !fin && wireBytes === 0) return; // A bare acknowledgment: a probe has an old number.
      this.#first = sequence;
    }
    const start = this.#placeOf(sequence);
    if (fin && this.#end === undefined) [this.#end, this.#endTime] = [start + wireBytes, time];
    if (wireBytes > 0 && start + wireBytes > this.#next) {
      this.#keep({ time, start, bytes, size: wireBytes });
    }
    this.#tellReady(events);
    while (this.#waitingBytes > MAX_WAITING_BYTES) this.#skipTo(this.#waiting[0], events);
  }

  /**
   * The other end has everything up to here: what is not in the capture by then never comes. It is
   * given up at the acknowledgment after this one, because captures swap neighbours.
   */
  acknowledge({ acknowledged, syn }: Segment, events: StreamEvent[]): void {
    if (this.#first === undefined) {
      if (syn) this.#first = acknowledged!;
      return;
    }
    while (this.#waiting.length > 0 && this.#waiting[0].start < this.#acknowledged) {
      this.#skipTo(this.#waiting[0], events);
    }
    this.#acknowledged = Math.max(this.#acknowledged, this.#placeOf(acknowledged!));
  }

  /** Tells what waits, with its holes. */
  giveUp(events: StreamEvent[]): void {
    while (this.#waiting.length > 0) this.#skipTo(this.#waiting[0], events);
    if (this.#isOver || this.#end === undefined) return;
    this.tell(events, this.#endTime, { missing: this.#end - this.#next });
    this.#next = this.#end;
    this.#tellReady(events);
  }

  tell(
    events: StreamEvent[],
    time: number,
    what: Pick<StreamEvent, "bytes" | "missing" | "end">,
  ): void {
    events.push({ stream: this.#stream, from: this.#from, time, ...what });
  }

  /** The place of a byte, from its number, which starts again at 0 after 4 GiB. */
  #placeOf(sequence: number): number {
    const expected = (this.#first! + this.#next) >>> 0;
    return this.#next + ((sequence - expected) | 0);
  }

  #keep(part: Part): void {
    let index = this.#waiting.length;
    while (index > 0 && this.#waiting[index - 1].start > part.start) index--;
    // The bytes of the packet belong to the reader of the file, which may be at the next one already.
    this.#waiting.splice(index, 0, { ...part, bytes: part.bytes.slice() });
    this.#waitingBytes += part.size;
  }

  #tellReady(events: StreamEvent[]): void {
    while (this.#waiting.length > 0 && this.#waiting[0].start <= this.#next) {
      const part = this.#waiting.shift()!;
      this.#waitingBytes -= part.size;
      const known = this.#next - part.start;
      if (known >= part.size) continue; // Sent again.
      const bytes = part.bytes.subarray(known);
      this.#next = part.start + part.size;
      if (bytes.length > 0) this.tell(events, part.time, { bytes });
      const missing = part.size - Math.max(known, part.bytes.length);
      if (missing > 0) this.tell(events, part.time, { missing });
    }
    if (this.#isOver || this.#end === undefined || this.#next < this.#end) return;
    this.#isOver = true;
    this.tell(events, this.#endTime, { end: "closed" });
  }

  #skipTo({ start, time }: Part, events: StreamEvent[]): void {
    const missing = start - this.#next;
    if (missing > 0) {
      this.#next = start;
      this.tell(events, time, { missing });
    }
    this.#tellReady(events);
  }
}
