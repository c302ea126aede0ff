/**
 * Framing alone, in memory, each codec by its fastest public way and in its own runtime. The wire is
 * the same for all: varint, which the npm codecs have by default. Lengthwise decodes by
 * `decoder.decode(chunk)` and encodes by `framing.encodeInto()` into a block. Other framings are
 * measured beside our own u32be, in another process.
 */

import type { FramingText } from "../../codec.ts";
import { Child } from "../child.ts";
import type { Goal, Measure } from "../measure.ts";
import { codec as program, missing, type Subject } from "../programs.ts";

const SUBJECTS: Subject[] = ["lengthwise", "lps", "ilp"];

/** How much of the speed of u32be other framings must have, at least. */
const LEAST = 0.6;

/** All of this kind. */
export const codec: Measure[] = [
  one("codec 32 B decode", "decode", 32, [
    { against: ["lps"], ratio: 4 },
    { against: ["ilp"], ratio: 10 },
  ]),
  one("codec 1 KiB decode", "decode", 1024, [{ against: ["lps"], ratio: 3 }]),
  one("codec 32 B encode", "encode", 32, [{ against: ["lps", "ilp"], ratio: 6 }]),
  one("codec 64 KiB decode, straddling", "decode", 65_536, [{ against: ["ilp"], ratio: 0.8 }]),
  beside("delimiter(0d0a)"),
  beside("fixed(32)"),
  beside("netstring"),
  beside("contentLength"),
];

/** Another framing beside our own u32be, which adds as little as can be. */
function beside(framing: FramingText): Measure {
  const goals: Goal[] = [{ against: ["u32be"], ratio: LEAST }];
  return one(`codec 32 B decode, ${framing}`, "decode", 32, goals, framing);
}

function one(
  name: string,
  command: "decode" | "encode",
  size: number,
  goals: Goal[],
  framing: FramingText = "varint",
): Measure {
  const subjects: Subject[] = framing === "varint" ? SUBJECTS : ["lengthwise", "u32be"];
  return {
    rows: [{ name, unit: "msg/s", goals }],
    subjects,
    async open({ peers, duration }) {
      await using stack = new AsyncDisposableStack();
      const children = new Map<Subject, Child>();
      for (const subject of subjects) {
        if (missing(subject, peers) !== undefined) continue;
        const child = stack.use(new Child(program(subject, peers)));
        await child.next();
        children.set(subject, child);
      }
      const owned = stack.move();
      return {
        run: async (subject) => [
          await children.get(subject)!.ask<number>(command, {
            size,
            framing: subject === "u32be" ? "u32be" : framing,
            duration: duration / 2,
          }),
        ],
        [Symbol.asyncDispose]: () => owned.disposeAsync(),
      };
    },
  };
}
