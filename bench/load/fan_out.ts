/** One publisher, many subscribers: what it sends comes to all of them. */

import { writeAll } from "../../internal/bytes.ts";
import type { Count, OneWay } from "./one_way.ts";
import { block, open, serverFrameBytes, type Wire } from "./wire.ts";

/** Messages in one block of the publisher's. */
const BLOCK_MESSAGES = 500;
/** How many blocks are under way at a time, where not said otherwise. */
const BLOCKS_UNDER_WAY = 2;
/** How many are being opened at a time: less than any backlog. */
const AT_ONCE = 256;
/** What comes is only counted, so all connections read into one buffer. */
const FORGOTTEN = new Uint8Array(64 * 1024);

let opened: Deno.TcpConn[] = [];

/** Opens one connection to publish, and the others to subscribe: in turn, if there are several servers. */
export async function subscribe(
  options: { port: number | readonly number[]; wire: Wire; subscribers: number },
): Promise<void> {
  const { wire, subscribers } = options;
  const ports = [options.port].flat();
  opened = [];
  while (opened.length <= subscribers) {
    const count = Math.min(AT_ONCE, subscribers + 1 - opened.length);
    const ready = await Promise.all(
      Array.from(
        { length: count },
        (_, i) => open(ports[(opened.length + i) % ports.length], wire),
      ),
    );
    for (const { conn } of ready) opened.push(conn);
  }
}

/** Publishes as fast as the slowest subscriber receives. Counts deliveries. */
export async function publish(
  { wire, size, duration, blocksUnderWay = BLOCKS_UNDER_WAY }: OneWay & { blocksUnderWay?: number },
): Promise<Count> {
  const [publisher, ...receivers] = opened;
  const subscribers = receivers.length;
  const blockBytes = BLOCK_MESSAGES * serverFrameBytes(wire, size);
  const arrivals = new Arrivals(subscribers);
  const reading = Promise.allSettled(receivers.map((conn) => watch(conn, blockBytes, arrivals)));

  const out = block(wire, size, BLOCK_MESSAGES);
  const start = performance.now();
  let blocks = 0;
  for (; performance.now() - start < duration; blocks++) {
    await arrivals.of(blocks - blocksUnderWay);
    await writeAll(publisher, out);
  }
  await arrivals.of(blocks - 1);
  const seconds = (performance.now() - start) / 1000;
  for (const conn of opened) conn.close();
  await reading;
  return { messages: blocks * BLOCK_MESSAGES * subscribers, seconds };
}

/** Counts, for each block, the subscribers that have all of it. */
class Arrivals {
  readonly #subscribers: number;
  readonly #counts: number[] = [];
  #complete = 0;
  #wake = () => {};

  constructor(subscribers: number) {
    this.#subscribers = subscribers;
  }

  add(block: number): void {
    this.#counts[block] = (this.#counts[block] ?? 0) + 1;
    if (this.#counts[block] < this.#subscribers) return;
    this.#complete = block + 1;
    this.#wake();
  }

  /** Waits until a block, and all before it, have come to everybody. */
  async of(block: number): Promise<void> {
    while (this.#complete <= block) await new Promise<void>((resolve) => this.#wake = resolve);
  }
}

async function watch(conn: Deno.TcpConn, blockBytes: number, arrivals: Arrivals): Promise<void> {
  let blocks = 0;
  let bytes = 0;
  for (let n; (n = await conn.read(FORGOTTEN)) !== null;) {
    for (bytes += n; (blocks + 1) * blockBytes <= bytes; blocks++) arrivals.add(blocks);
  }
}
