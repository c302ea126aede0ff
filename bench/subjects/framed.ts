/**
 * The floor for messages: the bare Deno loop with the framing written into it, by hand, for this one
 * case. The sender writes each message behind its length into a block, the receiver looks at every
 * length; no message is handed to anybody, and there are no limits and no time-outs.
 */

import { writeAll } from "../../internal/bytes.ts";
import {
  CHUNK_BYTES,
  duration,
  type SendOptions,
  sendWith,
  serve,
  size,
  tally,
} from "./deno_tcp.ts";

const SERVICES = {
  async sink(conn: Deno.TcpConn) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    let length = 0;
    let headerBytes = 0;
    for (let n; (n = await conn.read(chunk)) !== null;) {
      for (let at = 0; at < n;) {
        if (headerBytes === 0 && n - at >= 4) {
          length = chunk[at] << 24 | chunk[at + 1] << 16 | chunk[at + 2] << 8 | chunk[at + 3];
          headerBytes = 4;
          at += 4;
        } else if (headerBytes < 4) {
          length = length << 8 | chunk[at++];
          if (++headerBytes < 4) continue;
        }
        const bytes = Math.min(length, n - at);
        length -= bytes;
        at += bytes;
        if (length > 0) continue;
        headerBytes = 0;
        tally.received++;
      }
    }
  },

  async source(conn: Deno.TcpConn) {
    await sendFor(conn, size, duration);
  },
};

async function sendFor(conn: Deno.TcpConn, size: number, duration: number): Promise<number> {
  const message = new Uint8Array(size).fill(97);
  const block = new Uint8Array(Math.max(CHUNK_BYTES, 4 + size));
  const end = performance.now() + duration;
  let messages = 0;
  while (performance.now() < end) {
    let at = 0;
    for (; at + 4 + size <= block.length; at += 4 + size, messages++) {
      block[at] = size >>> 24;
      block[at + 1] = size >>> 16;
      block[at + 2] = size >>> 8;
      block[at + 3] = size;
      block.set(message, at + 4);
    }
    await writeAll(conn, block.subarray(0, at));
  }
  return messages;
}

serve(SERVICES, { send: (options: SendOptions) => sendWith(sendFor, options) });
