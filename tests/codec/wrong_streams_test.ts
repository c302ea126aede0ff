/**
 * What decoders do with bytes that are nearly right. `deno task test` takes some hundred streams per
 * framing, `deno task test:fuzz` ten thousand, and
 * `LENGTHWISE_FUZZ=1000000 deno test -A tests/codec/wrong_streams_test.ts` a million.
 */

import { assert } from "@std/assert";
import { concat, equals } from "@std/bytes";
import { framing, LengthwiseError } from "../../codec.ts";
import { hex, outcomeOf, utf8 } from "../support/bytes.ts";
import { KINDS } from "./kinds.ts";

const STREAMS = Number(Deno.env.get("LENGTHWISE_FUZZ") ?? 300);
/** Another seed gives other streams. */
const SEED = Number(Deno.env.get("LENGTHWISE_SEED") ?? 1);

/** Pieces that matter to one framing or another. */
const PIECES: readonly Uint8Array[] = [
  ..."-1 |+5|007|00|0|99999999999999999999|4294967296|9007199254740993|0x10|1e3| 5|5 |٣".split("|")
    .map(utf8),
  ...["\r\n", "\n", "\r", "\r\n\r\n", "Content-Length: ", "content-length:3\r\n", ":", ",", " "]
    .map(
      utf8,
    ),
  ..."80 ff ffffffff 00000000 80000000 7fffffff ffffffffffffffffffff0f 0b 1c0d 1c fffb01 fff0 01 03"
    .split(" ").map(hex),
];

/** Numbers that look like chance and are the same in every run (mulberry32). */
class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    this.#state = this.#state + 0x6d2b79f5 | 0;
    let t = Math.imul(this.#state ^ this.#state >>> 15, 1 | this.#state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return Math.floor(((t ^ t >>> 14) >>> 0) / 2 ** 32 * end);
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

/** A stream of frames, with up to three changes. */
function nearlyRight(frames: readonly Uint8Array[], chance: Chance): Uint8Array {
  const parts = Array.from({ length: chance.below(5) }, () => chance.of(frames));
  let stream: Uint8Array = concat(parts);
  for (let changes = chance.below(4); changes > 0; changes--) {
    const at = chance.below(stream.length + 1);
    const [start, rest] = [stream.subarray(0, at), stream.subarray(at)];
    switch (chance.below(5)) {
      case 0:
        stream = concat([start, Uint8Array.of(chance.below(256)), rest.subarray(1)]);
        break;
      case 1:
        stream = concat([start, chance.of(PIECES), rest]);
        break;
      case 2:
        stream = concat([start, rest.subarray(chance.below(4))]);
        break;
      case 3:
        stream = start.slice();
        break;
      case 4:
        stream = concat([start, chance.of(frames).subarray(chance.below(4)), rest]);
    }
  }
  return stream;
}

/** Chunks of their own memory. */
function chopped(stream: Uint8Array, chance: Chance): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const most = chance.of([1, 3, 10, 100]);
  for (let at = 0; at < stream.length;) {
    const end = at + chance.below(most + 1);
    chunks.push(stream.slice(at, end));
    at = end;
  }
  return chunks;
}

function isSame(some: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return some.length === others.length && some.every((one, i) => equals(one, others[i]));
}

// A stack trace for each of so many errors takes most of the time.
Error.stackTraceLimit = 0;

for (const [index, row] of KINDS.entries()) {
  Deno.test(`framing("${row.text}") says the same of ${STREAMS} wrong streams, however they are cut`, () => {
    const chance = new Chance(SEED * 1000 + index);
    const limited = framing(row.text).withLimit(row.frames[0][0].length + 3);
    const limit = limited.maxMessageBytes;
    const frames = row.frames.map(([_, frame]) => hex(frame));
    let errors = 0;
    let received = 0;
    for (let i = 0; i < STREAMS; i++) {
      const stream = nearlyRight(frames, chance);
      const check = (isRight: boolean, ...told: unknown[]) => {
        if (!isRight) throw new Error(`stream ${i}, ${stream.toHex()}: ${told.join(", ")}`);
      };
      const decoder = limited.decoder();
      const { messages, error } = outcomeOf(decoder, chopped(stream, chance));
      if (error !== undefined) {
        errors++;
        check(error instanceof LengthwiseError, error);
        check(outcomeOf(decoder, [stream.slice()]).error === error, "another error later");
      }
      check(decoder.pendingBytes <= stream.length, "pending", decoder.pendingBytes);
      check(messages.every(({ length }) => length <= limit), "a message above the limit");
      received += messages.length;

      const whole = outcomeOf(limited.decoder(), [stream.slice()]);
      check(isSame(messages, whole.messages), "other messages when it is whole");
      check(error?.constructor === whole.error?.constructor, error, whole.error);

      const [message] = messages;
      if (message === undefined) continue;
      let frame: Uint8Array;
      try {
        frame = limited.encode(message);
      } catch (refusal) {
        check(limited.isSelective === true && refusal instanceof LengthwiseError, refusal);
        continue;
      }
      const again = outcomeOf(limited.decoder(), [frame]);
      check(isSame(again.messages, [message]), "not the same when it is sent on", again.error);
    }
    assert(errors > STREAMS / 100 || row.except?.truncated !== undefined, `only ${errors} errors`);
    assert(received > STREAMS / 2, `only ${received} messages`);
  });
}
