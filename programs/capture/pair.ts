/** A connection whose two directions are put together. */

import { Direction, type Waiting } from "./direction.ts";
import type { Segment } from "./segment.ts";
import type { Stream, StreamEvent } from "./stream.ts";

/** Both directions of a connection. */
export class Pair {
  readonly #stream: Stream;
  readonly #directions: Record<StreamEvent["from"], Direction>;
  #isReset = false;

  constructor(stream: Stream, waiting: Waiting) {
    this.#stream = stream;
    this.#directions = {
      client: new Direction(stream, "client", waiting),
      server: new Direction(stream, "server", waiting),
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

  skipHoles(events: StreamEvent[]): void {
    for (const direction of Object.values(this.#directions)) direction.skipHoles(events);
  }

  /** Tells what waits, and that nothing more comes. */
  end(events: StreamEvent[]): void {
    const directions = Object.values(this.#directions);
    const time = Math.max(this.#stream.time, ...directions.map(({ time }) => time));
    for (const direction of directions) direction.giveUp(events);
    events.push({ stream: this.#stream, from: "client", time, isLast: true });
  }

  #of({ from }: Segment): Direction {
    return from === this.#stream.client ? this.#directions.client : this.#directions.server;
  }
}
