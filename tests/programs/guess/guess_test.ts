/** `guess` finds every framing that there is, in streams that say nothing else about it. */

import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { framing, type FramingText } from "../../../codec.ts";
import { changeIn } from "../../../programs/guess/changes.ts";
import { type Guess, guess } from "../../../programs/guess/guess.ts";
import { KINDS } from "../../codec/kinds.ts";
import { hex, utf8 } from "../../support/bytes.ts";

/** Bytes that follow no rule, the same in each run. */
function noise(size: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: size }, () => {
    state = Math.imul(state, 1_103_515_245) + 12_345 >>> 0;
    return state >>> 16;
  });
}

const TEXTS = [
  "hello",
  "a longer message, with some more words in it",
  "bye",
  "The quick brown fox jumps over the lazy dog. ".repeat(4),
  "12",
  "what comes last is not the shortest one",
].map((text) => utf8(text));
const NOISE = [3, 40, 21, 150, 64, 9, 33].map((size, seed) => noise(size, seed + 1));

function whole(bytes: Uint8Array) {
  return [{ bytes, isWhole: true }];
}

/** Whether a guess makes these messages of the stream. */
function makes({ decoded }: Guess, messages: readonly Uint8Array[]): boolean {
  const found = decoded.flatMap(({ cuts }) => cuts.map(({ message }) => message.toHex()));
  return found.join() === messages.map((message) => message.toHex()).join();
}

/** Where the frames end, which is the same whatever of their headers is in the messages. */
function endsOf(frames: readonly Uint8Array[]): number[] {
  let end = 0;
  return frames.map(({ length }) => end += length);
}

/** Between two delimiters may be anything: that it is text is what tells them. */
const NEED_TEXT = /^(line|delimiter)/;
/** What nobody can know. */
const UNKNOWABLE: Record<string, string> = {
  "fixed(5)": "nothing in the stream tells the size; a test below has columns",
  "delimiter(616162,keep:true)": "any text may be a delimiter",
};
/** What another framing explains as well. */
const SECOND: Record<string, string> = {
  "recordMarking(maxFragmentBytes:3)": "each fragment is a frame with a length",
};

for (const { text, make, carried = (message: Uint8Array) => message } of KINDS) {
  if (Object.hasOwn(UNKNOWABLE, text)) continue;
  Deno.test(`guess finds ${text}`, () => {
    const messages = (NEED_TEXT.test(text) ? TEXTS : NOISE).map(carried);
    const frames = messages.map((message) => make().encode(message));
    const { fitting } = guess(whole(concat(frames)));
    const names = fitting.map(({ framing, bits }) => `${framing} ${bits.toFixed(0)}`);
    const found = fitting.findIndex((one) =>
      one.decoded[0].cuts.map(({ end }) => end).join() === endsOf(frames).join() ||
      makes(one, messages)
    );
    assert(found === 0 || found === 1 && Object.hasOwn(SECOND, text), `${found}. of ${names}`);
  });
}

Deno.test("guess finds frames of one size by what is the same in all of them", () => {
  const frames = NOISE.map((_, seed) => concat([hex("47"), noise(187, seed + 50)]));
  const [best] = guess(whole(concat(frames))).fitting;
  assertEquals([best.framing, best.decoded[0].cuts.length], ["fixed(188)", frames.length]);
});

Deno.test("guess finds nothing in noise, and nothing in zeros that would be sure", () => {
  for (let seed = 1; seed <= 4; seed++) {
    const { fitting } = guess(whole(noise(1_500, seed * 7919)));
    assert((fitting[0]?.bits ?? 0) < 12, `${fitting[0]?.framing} ${fitting[0]?.bits}`);
  }
  const { fitting } = guess(whole(new Uint8Array(4_000)));
  assert((fitting[0]?.bits ?? 0) < 12, `${fitting[0]?.framing} ${fitting[0]?.bits}`);
});

Deno.test("guess takes a stream that is cut off in the middle of a message", () => {
  const bytes = concat(TEXTS.map((text) => framing("u32le").encode(text)));
  const [best] = guess([{ bytes: bytes.subarray(0, 150), isWhole: false }]).fitting;
  assertEquals(best.framing, "u32le");
  assertEquals(best.decoded[0].cuts.map(({ message }) => message), TEXTS.slice(0, 3));
  assertEquals(guess(whole(bytes.subarray(0, 150))).fitting.map(({ framing }) => framing), []);
});

Deno.test("guess says of several framings which are likelier", () => {
  const bytes = concat(NOISE.map((message) => framing("u32be").encode(message)));
  const { fitting } = guess(whole(bytes));
  assertEquals(fitting[0].framing, "u32be");
  assert(fitting[0].share > 0.99);
  const sum = fitting.reduce((total, { share }) => total + share, 0);
  assert(sum <= 1 + Number.EPSILON * 10, `${sum}`);
});

Deno.test("guess tells how far a framing gets that does not fit to all of it", () => {
  const frames = concat(TEXTS.map((text) => framing("u32be").encode(text)));
  const { fitting, begun } = guess(whole(concat([frames, hex("ffffffff 00")])));
  assertEquals(fitting.filter(({ bits }) => bits > 12), []);
  const found = begun.find(({ framing }) => framing === "u32be")!;
  assertEquals([found.messages, found.end], [TEXTS.length, frames.length]);
});

const CHANGES: [what: string, first: Uint8Array, then: FramingText][] = [
  ["8 bytes, as of AMQP", hex("414d5150 00000901"), "length(offset:3,adjustment:1,strip:0)"],
  ["two lines, as of D-Bus", utf8("\0AUTH EXTERNAL 30\r\nBEGIN\r\n"), "u32le"],
  [
    "a message that has no type, as of PostgreSQL",
    concat([hex("00000012 00030000"), utf8("user\0me\0\0\0")]),
    "length(offset:1,adjustment:-4,strip:0)",
  ],
];

for (const [what, first, then] of CHANGES) {
  Deno.test(`guess finds what follows ${what}`, () => {
    const made = framing(then);
    // A framing that hands over its header is given it, with the right length.
    const messages = then.startsWith("u") ? TEXTS : TEXTS.map((text) => headed(then, text));
    const frames = messages.map((message) => made.encode(message));
    const change = changeIn(whole(concat([first, ...frames])))!;
    assertEquals(change.bytes, first.length);
    const { framing: name, also } = change.guess;
    assert([name, ...also].includes(then), `${name}, ${also}`);
    assertEquals(change.guess.decoded[0].cuts.map(({ end }) => end), endsOf(frames));
  });
}

function headed(then: FramingText, text: Uint8Array): Uint8Array {
  if (then.includes("offset:1")) {
    return concat([hex("51"), hex((text.length + 4).toString(16).padStart(8, "0")), text]);
  }
  return concat([hex("010000"), hex(text.length.toString(16).padStart(8, "0")), text, hex("ce")]);
}
