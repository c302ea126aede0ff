/** The floor: `conn.read()` and `conn.write()` in a loop, no messages, no limits, no time-outs. */

import { writeAll } from "../../internal/bytes.ts";
import { roundTrip } from "../load/round_trip.ts";
import {
  CHUNK_BYTES,
  duration,
  type SendOptions,
  sendWith,
  serve,
  size,
  tally,
} from "./deno_tcp.ts";

const others = new Set<Deno.TcpConn>();

const SERVICES = {
  /** Counts bytes into one buffer, used again and again. */
  async sink(conn: Deno.TcpConn) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    let bytes = 0;
    for (let n; (n = await conn.read(chunk)) !== null;) bytes += n;
    tally.received += bytes / (4 + size);
  },

  async source(conn: Deno.TcpConn) {
    await writeFor(conn, size, duration);
  },

  async echo(conn: Deno.TcpConn) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    for (let n; (n = await conn.read(chunk)) !== null;) await writeAll(conn, chunk.subarray(0, n));
  },

  /** Passes chunks on as they come. */
  async fanOut(conn: Deno.TcpConn) {
    others.add(conn);
    const chunk = new Uint8Array(CHUNK_BYTES);
    try {
      for (let n; (n = await conn.read(chunk)) !== null;) {
        const part = chunk.subarray(0, n);
        const receivers = [...others].filter((other) => other !== conn);
        await Promise.all(receivers.map((other) => writeAll(other, part)));
      }
    } finally {
      others.delete(conn);
    }
  },

  async idle(conn: Deno.TcpConn) {
    await conn.read(new Uint8Array(512));
  },
};

/** Writes one block of whole frames, made once. */
async function writeFor(conn: Deno.TcpConn, size: number, duration: number): Promise<number> {
  const frames = Math.max(1, Math.floor(CHUNK_BYTES / (4 + size)));
  const block = new Uint8Array(frames * (4 + size));
  const end = performance.now() + duration;
  let messages = 0;
  for (; performance.now() < end; messages += frames) await writeAll(conn, block);
  return messages;
}

const CLIENT = {
  send: (options: SendOptions) => sendWith(writeFor, options),
  roundTrip,
};

serve(SERVICES, CLIENT);
