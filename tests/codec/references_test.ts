/**
 * Streams that are nearly right, for the framings whose frames must be scanned: however a stream is cut,
 * the same messages and the same error come out, and they are what references.ts finds. There are some
 * hundred streams per framing, each time others; `deno task test:fuzz` takes ten thousand, and
 * `LENGTHWISE_FUZZ=1000000` a million.
 */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { concat, equals } from "@std/bytes";
import {
  berTlv,
  cobs,
  type Framing,
  type FramingOptions,
  gobUvarint,
  InvalidMessageError,
  jsonSequence,
  jsonStream,
  LengthwiseError,
  MessageTooLargeError,
  resp2,
  resp3,
  slip,
} from "../../codec.ts";
import { hex, outcomeOf, utf8 } from "../support/bytes.ts";
import {
  berOf,
  cobsOf,
  type Found,
  gobOf,
  jsonSequenceOf,
  jsonStreamOf,
  respOf,
  slipOf,
} from "./references.ts";

const RUNS = Number(Deno.env.get("LENGTHWISE_FUZZ") ?? 300);

/** A whole number from 0 to below `n`. */
type Random = (n: number) => number;

/** Random numbers that a seed repeats (mulberry32). */
function randomOf(seed: number): Random {
  return (n) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** A framing to try. */
interface Subject {
  readonly name: string;
  readonly make: (options: FramingOptions & { maxDepth?: number }) => Framing;
  readonly reference: (stream: Uint8Array) => Found;
  /** A frame that is right. */
  readonly frame: (random: Random) => Uint8Array;
  /** Bytes that mean something here. */
  readonly alphabet: Uint8Array;
  /** Whether an error is told in the same words however the stream is cut. */
  readonly hasHints?: boolean;
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)];
}

function times<T>(n: number, make: () => T): T[] {
  return Array.from({ length: n }, make);
}

function anyBytes(random: Random, max: number): Uint8Array {
  return Uint8Array.from(
    times(random(max + 1), () => pick(random, [random(256), 0, 0xc0, 0xdb, 13])),
  );
}

function json(random: Random, depth = 0): string {
  const space = pick(random, ["", "", " ", "\n"]);
  const inner = () => space + json(random, depth + 1) + space;
  switch (random(depth > 4 ? 4 : 8)) {
    case 0:
      return pick(random, ["0", "-0", "12", "-3.25", "1e9", "4E-2", "5.0e+1"]);
    case 1:
      return pick(random, ["true", "false", "null"]);
    case 2:
      return pick(random, ['""', '"a"', '"\\u00e9\\n"', '"\\\\\\""', '"[é]{,:"', '" "']);
    case 3:
      return pick(random, ["[]", "{}", "[ ]"]);
    case 4:
    case 5:
      return `[${times(1 + random(3), inner).join(",")}]`;
    default:
      return `{${times(1 + random(2), () => `${space}"k"${space}:${inner()}`).join(",")}}`;
  }
}

function resp(random: Random, version: 2 | 3, depth = 0): string {
  const inner = (n: number) => times(n, () => resp(random, version, depth + 1)).join("");
  const n = random(4);
  const text = pick(random, ["", "a", "\r\n", "hello", "$1\r\n"]);
  const types = depth > 3 ? 4 : version === 2 ? 5 : 15;
  switch (random(types)) {
    case 0:
      return pick(random, ["+OK\r\n", "+\r\n", "-ERR no\r\n"]);
    case 1:
      return ":42\r\n";
    case 2:
      return `$${text.length}\r\n${text}\r\n`;
    case 3:
      return pick(random, ["$-1\r\n", "*-1\r\n", "*0\r\n"]);
    case 4:
      return `*${n}\r\n${inner(n)}`;
    case 5:
      return pick(random, ["_\r\n", "#t\r\n", ",1.5\r\n", "(12\r\n"]);
    case 6:
      return `${pick(random, ["!", "="])}${text.length}\r\n${text}\r\n`;
    case 7:
      return `%${n}\r\n${inner(2 * n)}`;
    case 8:
      return `~${n}\r\n${inner(n)}`;
    case 9:
      return `|${n}\r\n${inner(2 * n)}${resp(random, version, depth)}`;
    case 10:
      return depth > 0 ? "_\r\n" : `>${n}\r\n${inner(n)}`;
    case 11:
      return `$?\r\n${times(n, () => ";2\r\n\r\n\r\n").join("")};0\r\n`;
    case 12:
      return `${pick(random, ["*", "~"])}?\r\n${inner(n)}.\r\n`;
    default:
      return `%?\r\n${inner(2 * n)}.\r\n`;
  }
}

function ber(random: Random, depth = 0): Uint8Array {
  const tag = pick(random, [[0x04], [0x30], [0x1f, 0x22], [0x7f, 0x81, 0x01], [0x02]]);
  if (depth < 5 && (tag[0] & 0x20) !== 0 && random(2) === 0) {
    const inner = times(random(3), () => ber(random, depth + 1));
    return concat([Uint8Array.from([...tag, 0x80]), ...inner, hex("0000")]);
  }
  const contents = anyBytes(random, 9);
  const length = pick(random, [[], [0x81], [0x82, 0], [0x84, 0, 0, 0], [
    0x88,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
  ]]);
  return concat([Uint8Array.from([...tag, ...length, contents.length]), contents]);
}

const respAlphabet = utf8("+-:$*_,#(!=~%|>;.?0123456789\r\n a");
const SUBJECTS: Subject[] = [
  {
    name: "jsonStream",
    make: jsonStream,
    reference: jsonStreamOf,
    frame: (random) => utf8(json(random) + pick(random, ["", " ", "\n"])),
    alphabet: utf8('[]{},:"\\0123-+.eEtrufalsn \n\x1e\x01\xff'),
  },
  {
    name: "jsonSequence",
    make: jsonSequence,
    reference: jsonSequenceOf,
    frame: (random) => {
      const before = pick(random, ["", "", "\x1e", "\x1e ", "\n"]);
      return utf8(`${before}\x1e${json(random)}${pick(random, ["\n", "\n", " \n", " ", ""])}`);
    },
    alphabet: utf8('[]{},:"\\0123-+.eEtrufalsn \n\x1e\x1e\x1e\x01'),
  },
  {
    name: "slip",
    make: slip,
    reference: slipOf,
    frame: (random) => slip().encode(concat([hex("01"), anyBytes(random, 20)])),
    alphabet: hex("c0 db dc dd 00 01"),
  },
  {
    name: "cobs",
    make: cobs,
    reference: cobsOf,
    frame: (random) => {
      const run = new Uint8Array(random(20) === 0 ? 250 + random(270) : 0).fill(7);
      return cobs().encode(concat([anyBytes(random, 9), run, anyBytes(random, 9)]));
    },
    alphabet: hex("00 00 01 02 03 05 ff fe"),
  },
  {
    name: "berTlv",
    make: berTlv,
    reference: berOf,
    frame: ber,
    alphabet: hex("00 00 80 80 30 04 02 1f 3f 81 82 84 88 89 ff 05"),
  },
  {
    name: "gobUvarint",
    make: gobUvarint,
    reference: gobOf,
    frame: (random) =>
      gobUvarint().encode(new Uint8Array(pick(random, [0, 1, 1, 2, 9, 9, 127, 128, 260]))),
    alphabet: hex("00 01 02 7f 80 f8 f7 ff fe"),
    hasHints: true,
  },
  {
    name: "resp2",
    make: resp2,
    reference: (stream) => respOf(stream, 2),
    frame: (random) => utf8(resp(random, 2)),
    alphabet: respAlphabet,
  },
  {
    name: "resp2(inline:true)",
    make: (options) => resp2({ ...options, inline: true }),
    reference: (stream) => respOf(stream, 2, true),
    frame: (random) =>
      utf8(random(3) > 0 ? resp(random, 2) : pick(random, ["PING\r\n", "\r\n", "a b\n"])),
    alphabet: respAlphabet,
  },
  {
    name: "resp3",
    make: resp3,
    reference: (stream) => respOf(stream, 3),
    frame: (random) => utf8(resp(random, 3)),
    alphabet: respAlphabet,
  },
];

const MAX_STREAM_BYTES = 600;

/** A few frames, and often something that is wrong. */
function streamOf({ frame, alphabet }: Subject, random: Random): Uint8Array {
  const bytes = [...concat(times(random(4), () => frame(random)))];
  for (let faults = pick(random, [0, 0, 1, 1, 2, 4]); faults > 0; faults--) {
    const at = random(bytes.length + 1);
    const byte = random(4) === 0 ? random(256) : alphabet[random(alphabet.length)];
    switch (random(5)) {
      case 0:
        bytes.splice(at, 0, byte);
        break;
      case 1:
        bytes.splice(at, 1);
        break;
      case 2:
        bytes.length = at;
        break;
      default:
        if (at < bytes.length) bytes[at] = byte;
    }
  }
  return Uint8Array.from(bytes.slice(0, MAX_STREAM_BYTES));
}

function cut(stream: Uint8Array, random: Random): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const most = pick(random, [2, 6, 20, 80]);
  for (let at = 0; at < stream.length;) {
    const end = at + random(most + 1);
    chunks.push(stream.slice(at, end));
    at = Math.min(end, stream.length);
  }
  return chunks;
}

/** `assertEquals()` takes twenty times as long. */
function assertSame(actual: Uint8Array[], expected: Uint8Array[]): void {
  const isSame = actual.length === expected.length &&
    actual.every((message, i) => equals(message, expected[i]));
  if (!isSame) assertEquals(actual, expected);
}

/** Whether an error may come with a limit only. */
function isLimit(error: unknown): boolean {
  return error instanceof MessageTooLargeError ||
    error instanceof InvalidMessageError && error.message.endsWith(" levels");
}

function check(subject: Subject, framing: Framing, random: Random): boolean {
  const stream = streamOf(subject, random);
  const found = subject.reference(stream);
  const { messages, error } = outcomeOf(framing.decoder(), cut(stream, random));
  assertSame(messages, found.messages);
  assert((error === undefined) === found.isAll, String(error));

  const limited = subject.make({ maxMessageBytes: 1 + random(30), maxDepth: 1 + random(3) });
  const whole = outcomeOf(limited.decoder(), [stream.slice()]);
  const decoder = limited.decoder();
  const inPieces = outcomeOf(decoder, cut(stream, random));
  assertSame(inPieces.messages, whole.messages);
  assertStrictEquals(inPieces.error?.constructor, whole.error?.constructor);
  if (subject.hasHints !== true) assertStrictEquals(String(inPieces.error), String(whole.error));
  assert(whole.error === undefined || whole.error instanceof LengthwiseError, String(whole.error));
  assertStrictEquals(decoder.pendingBytes, 0);
  // With a limit there are the same messages, up to the first that is too much.
  assertSame(messages.slice(0, whole.messages.length), whole.messages);
  if (whole.messages.length < messages.length) assert(isLimit(whole.error), String(whole.error));

  for (const message of messages.slice(0, 1)) {
    const decoder = framing.decoder();
    assertSame(decoder.end(decoder.decode(framing.encode(message))), [message]);
  }
  return found.isAll && messages.length > 0;
}

/** Without a stack trace for each of so many errors, which takes much time. */
function withoutTraces(run: () => void): void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

for (const subject of SUBJECTS) {
  Deno.test(`framing("${subject.name}") finds the same as its reference in ${RUNS} streams`, () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const framing = subject.make({});
    let right = 0;
    withoutTraces(() => {
      for (let run = 0; run < RUNS; run++) {
        try {
          if (check(subject, framing, randomOf(seed + run))) right++;
        } catch (error) {
          throw new Error(`randomOf(${seed + run}) gives the stream`, { cause: error });
        }
      }
    });
    assert(right > RUNS / 10 && right < RUNS * 0.9, `${right} streams were right`);
  });
}
