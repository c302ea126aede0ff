/** One message there and back, and only then the next. */

import { writeAll } from "../../internal/bytes.ts";
import { timesOf } from "../subjects/answer.mjs";
import { clientFrame, open, serverFrameBytes, type Wire } from "./wire.ts";

/** Gives the p50 and the p99 of a round trip, in microseconds. */
export async function roundTrip(
  options: { port: number; wire: Wire; size: number; count: number },
): Promise<number[]> {
  const { port, wire, size, count } = options;
  const { conn } = await open(port, wire);
  const frame = clientFrame(wire, size);
  const expected = serverFrameBytes(wire, size);
  const chunk = new Uint8Array(64 * 1024);
  const times = await timesOf(count, async () => {
    await writeAll(conn, frame);
    for (let bytes = 0; bytes < expected;) {
      const n = await conn.read(chunk);
      if (n === null) throw new Error("Cannot go on: the server closed");
      bytes += n;
    }
  });
  conn.close();
  return times;
}
