/** One direction of a connection, put together from segments in any order. */

import type { Segment } from "./segment.ts";
import type { Stream, StreamEvent } from "./stream.ts";

/** How many bytes behind a hole may wait for it. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** What a part costs that waits, besides its bytes. */
const PART_BYTES = 256;

/** How much waits behind holes, in all directions together. */
export interface Waiting {
  bytes: number;
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
export class Direction {
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
  /** What waits in all directions. */
  readonly #all: Waiting;
  #isOver = false;
  /** When the last segment was captured. */
  time = 0;

  constructor(stream: Stream, from: StreamEvent["from"], all: Waiting) {
    this.#stream = stream;
    this.#from = from;
    this.#all = all;
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
    this.time = time;
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
    this.skipHoles(events);
    if (this.#isOver || this.#end === undefined) return;
    this.tell(events, this.#endTime, { missing: this.#end - this.#next });
    this.#next = this.#end;
    this.#tellReady(events);
  }

  /** Tells what waits behind holes. */
  skipHoles(events: StreamEvent[]): void {
    while (this.#waiting.length > 0) this.#skipTo(this.#waiting[0], events);
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
    this.#count(part, 1);
  }

  #count({ bytes }: Part, sign: 1 | -1): void {
    const cost = sign * (bytes.length + PART_BYTES);
    this.#waitingBytes += cost;
    this.#all.bytes += cost;
  }

  #tellReady(events: StreamEvent[]): void {
    while (this.#waiting.length > 0 && this.#waiting[0].start <= this.#next) {
      const part = this.#waiting.shift()!;
      this.#count(part, -1);
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
