/** One message at a time, from one connection through the server to another one. */

import { delay } from "@std/async/delay";
import { writeAll } from "../../internal/bytes.ts";
import { timesOf } from "../subjects/answer.mjs";
import { clientFrame, open, serverFrameBytes, type Wire } from "./wire.ts";

/** No message takes as long, in milliseconds. */
const SOON = 200;

/** Gives the median and the p99 of the time between sending and receiving, in microseconds. */
export async function hop(
  options: { from: number; to: number; wire: Wire; size: number; count: number },
): Promise<number[]> {
  const { from, to, wire, size, count } = options;
  const { conn: receiver } = await open(to, wire);
  const { conn: sender } = await open(from, wire);
  const frame = clientFrame(wire, size);
  const expected = serverFrameBytes(wire, size);
  const chunk = new Uint8Array(64 * 1024);
  // The first ones may come before the receiver is where it can hear them.
  let isHeard = false;
  const first = receiver.read(chunk).then(() => isHeard = true);
  for (; !isHeard; await Promise.race([first, delay(SOON)])) await writeAll(sender, frame);
  const times = await timesOf(count, async () => {
    await writeAll(sender, frame);
    for (let bytes = 0; bytes < expected;) {
      const n = await receiver.read(chunk);
      if (n === null) throw new Error("Cannot go on: the server closed");
      bytes += n;
    }
  });
  sender.close();
  receiver.close();
  return times;
}
