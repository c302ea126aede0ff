/** Messages there and back over a few connections, a window of them under way on each. */

import { writeAll } from "../../internal/bytes.ts";
import type { Count, OneWay } from "./one_way.ts";
import { block, open, serverFrameBytes } from "./wire.ts";

/** What a pipelined run takes. */
export interface Pipelined extends OneWay {
  readonly connections: number;
  /** Messages that may be under way on a connection. */
  readonly window: number;
}

/** Sends half a window whenever half a window has come back. */
export async function echo(options: Pipelined): Promise<Count> {
  const { port, wire, connections, duration } = options;
  const opened = await Promise.all(Array.from({ length: connections }, () => open(port, wire)));
  const start = performance.now();
  const counts = await Promise.all(
    opened.map(({ conn }) => echoOver(conn, start + duration, options)),
  );
  const seconds = (performance.now() - start) / 1000;
  return { messages: counts.reduce((sum, count) => sum + count, 0), seconds };
}

async function echoOver(conn: Deno.TcpConn, end: number, options: Pipelined): Promise<number> {
  const { wire, size, window } = options;
  const half = Math.ceil(window / 2);
  const out = block(wire, size, half);
  const chunk = new Uint8Array(64 * 1024);
  const perHalf = half * serverFrameBytes(wire, size);
  // Written while reading goes on, or both ends could wait for each other to read.
  let writing = writeAll(conn, out).then(() => writeAll(conn, out));
  let sent = 2;
  let bytes = 0;
  for (let back = 0; back < sent;) {
    const n = await conn.read(chunk);
    if (n === null) throw new Error("Cannot go on: the server closed");
    bytes += n;
    for (; (back + 1) * perHalf <= bytes; back++) {
      if (performance.now() >= end) continue;
      writing = writing.then(() => writeAll(conn, out));
      sent++;
    }
  }
  await writing;
  conn.close();
  return sent * half;
}
