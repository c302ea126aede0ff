/** How the clients of all subjects ask. */

import { medianTime } from "../answer.mjs";

const PARAMS = "a".repeat(32);
const BYTES = new Uint8Array(32).fill(97);

/**
 * What is sent and must come back.
 *
 * @param {"json" | "bytes"} kind How it is written.
 */
export function paramsOf(kind) {
  return kind === "json" ? PARAMS : BYTES;
}

/**
 * The commands of a client for `answer()`.
 *
 * @param {(args: any) => Promise<{
 *   ask: (params: string | Uint8Array) => Promise<{ length: number }>,
 *   close: () => unknown,
 * }>} open Connects.
 */
export function asking(open) {
  return {
    /** Keeps so many requests going for a while; gives how many were answered. */
    async many(args) {
      const { kind, inFlight, duration } = args;
      const { ask, close } = await open(args);
      const params = paramsOf(kind);
      const start = performance.now();
      let answered = 0;
      const askOn = async () => {
        while (performance.now() - start < duration) {
          const answer = await ask(params);
          if (answer.length !== params.length) throw new Error(`Cannot use answer: ${answer}`);
          answered++;
        }
      };
      await Promise.all(Array.from({ length: inFlight }, askOn));
      const seconds = (performance.now() - start) / 1000;
      await close();
      return { answered, seconds };
    },

    /** One request after the other; gives the median time of one, in microseconds. */
    async roundTrip(args) {
      const { ask, close } = await open(args);
      const median = await medianTime(args.count, () => ask(paramsOf("json")));
      await close();
      return median;
    },
  };
}
