/** Cases 9: large messages, in many fragments and chunks, and many messages there and back. */

import { back, bytes, type Case, inParts, one, text } from "./case.ts";
import type { Frame } from "./peer.ts";

const KIB = 1024;
const MIB = 1024 * 1024;

/** Autobahn's sizes divided by `divisor`. */
export function largeCases(divisor: number): Case[] {
  const of = (size: number) => Math.max(1, Math.round(size / divisor));
  const kinds: [kind: (body: Uint8Array) => Frame, fill: number][] = [[text, 42], [bytes, 0xfe]];
  return kinds.flatMap(([make, fill], i) => {
    const message = (size: number) => make(new Uint8Array(of(size)).fill(fill));
    const sizes = [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB].map((size, n) => {
      const frame = message(size);
      return one(`9.${i + 1}.${n + 1}`, [frame], [back(frame)]);
    });
    const parts = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB];
    const fragments = parts.map((part, n) => {
      const frame = message(4 * MIB);
      return one(`9.${i + 3}.${n + 1}`, inParts(frame, part), [back(frame)]);
    });
    const chops = [128, 256, 512, 1024, 2048, 4096].map((chop, n) => {
      const frame = message(MIB);
      return one(`9.${i + 5}.${n + 1}`, [frame], [back(frame)], undefined, chop);
    });
    return [...sizes, ...fragments, ...chops];
  });
}

/** Cases 9.7 and 9.8: so many messages of a size, the next when the one before is back. */
export const ROUND_TRIPS: readonly number[] = [0, 16, 64, 256, 1024, 4096];
