import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { concat, equals } from "@std/bytes";
import fc from "fast-check";
import {
  decode,
  erlangPacket,
  type Framing,
  framing,
  FRAMING_NAMES,
  lengthPrefix,
  type LengthPrefixOptions,
  LengthwiseError,
  line,
  nettyLengthField,
  none,
  varint,
} from "../../codec.ts";
import { cutAt, decodeAll, encodeAll, hex, outcomeOf } from "../support/bytes.ts";
import { KINDS } from "./kinds.ts";

// A failure prints its seed and path; `fc.assert(property, { seed, path })` repeats it.

/** Places to cut, as parts of the whole; equal ones make empty chunks. */
const cuts = fc.array(fc.nat({ max: 10_000 }), { maxLength: 12, size: "max" });

/** Chops bytes at these places. */
function chop(bytes: Uint8Array, places: number[]): Uint8Array[] {
  return cutAt(bytes, ...places.map((place) => Math.floor(place / 10_000 * bytes.length)));
}

/** Bytes among which those with a meaning in lines and in telnet are frequent. */
const awkwardByte = fc.oneof(
  fc.nat({ max: 255 }),
  fc.constantFrom(0x00, 0x0a, 0x0d, 0xf0, 0xfa, 0xfb, 0xff, 0x80, 0x01),
);

function bytes(maxLength: number): fc.Arbitrary<Uint8Array> {
  return fc.array(awkwardByte, { maxLength, size: "max" }).map((values) => Uint8Array.from(values));
}

for (const { text, carried = (message: Uint8Array) => message } of KINDS) {
  Deno.test(`framing("${text}") gives back any messages, wherever the stream is cut`, () => {
    const messages = fc.array(bytes(200).map(carried), { maxLength: 8 });
    fc.assert(
      fc.property(messages, cuts, (messages, cuts) => {
        const frames = encodeAll(framing(text), messages);
        assertEquals(decodeAll(framing(text), chop(frames, cuts)), messages);
      }),
      { numRuns: 200 },
    );
  });
}

Deno.test('framing("none") gives back any bytes, wherever the stream is cut', () => {
  fc.assert(
    fc.property(bytes(200), cuts, (stream, cuts) => {
      assertEquals(concat(decodeAll(none(), chop(stream, cuts))), stream);
    }),
    { numRuns: 200 },
  );
});

Deno.test("framing() gives back long messages, wherever the stream is cut", () => {
  const size = fc.integer({ min: 0, max: 60_000 });
  fc.assert(
    fc.property(
      fc.constantFrom(...FRAMING_NAMES.filter((name) => name !== "u8" && name !== "none")),
      fc.array(size, { minLength: 1, maxLength: 4 }),
      cuts,
      (name, sizes, cuts) => {
        const messages = sizes.map((size, i) => new Uint8Array(size).fill(0x61 + i));
        const decoded = decodeAll(framing(name), chop(encodeAll(framing(name), messages), cuts));
        assertEquals(decoded.length, messages.length);
        for (const [i, message] of decoded.entries()) {
          assertEquals(message.length, sizes[i]);
          assert(message.every((byte) => byte === 0x61 + i));
        }
      },
    ),
    { numRuns: 60 },
  );
});

/** Options of lengthPrefix() that do not contradict each other, and what they come to. */
const prefixOptions = fc.record({
  bytes: fc.constantFrom(1 as const, 2 as const, 3 as const, 4 as const, 8 as const),
  endian: fc.constantFrom("big" as const, "little" as const),
  offset: fc.nat({ max: 6 }),
  counting: fc.oneof(
    fc.constant({ includesHeader: true }),
    fc.record({ adjustment: fc.integer({ min: -20, max: 20 }) }),
    fc.constant({}),
  ),
  stripping: fc.oneof(fc.constant({}), fc.record({ strip: fc.nat({ max: 20 }) })),
}).map(({ counting, stripping, ...rest }): LengthPrefixOptions => ({
  ...rest,
  ...counting,
  ...stripping,
}));

/** What lengthPrefix() makes of options. */
function resolve(options: LengthPrefixOptions) {
  const { bytes = 4, offset = 0, includesHeader = false } = options;
  const header = offset + bytes;
  const { adjustment = includesHeader ? -header : 0, strip = header } = options;
  // The shortest and the longest message: the frame covers its header, the length fits its bytes.
  const least = Math.max(0, header - strip, header + adjustment - strip);
  const most = Math.min(least + 200, header + adjustment - strip + 2 ** (8 * bytes) - 1);
  return { bytes, offset, header, adjustment, strip, least, most };
}

/** Options and messages that they can carry. */
const prefixed = prefixOptions.chain((options) => {
  const { least, most } = resolve(options);
  const message = fc.uint8Array({ minLength: least, maxLength: most, size: "max" });
  return fc.record({
    options: fc.constant(options),
    messages: fc.array(message, { maxLength: 6 }),
  });
});

Deno.test("lengthPrefix() gives back any messages, with any options, wherever it is cut", () => {
  fc.assert(
    fc.property(prefixed, cuts, ({ options, messages }, cuts) => {
      const framed = lengthPrefix(options);
      const frames = messages.map((message) => framed.encode(message));
      // Where the message contains the length, it comes back with the length written into it.
      const expected = frames.map((frame) => frame.subarray(resolve(options).strip));
      assertEquals(decodeAll(framed, chop(concat(frames), cuts)), expected);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("lengthPrefix() writes the length where it belongs, and nothing else but zeros", () => {
  fc.assert(
    fc.property(prefixed, ({ options, messages }) => {
      const { bytes, offset, header, adjustment, strip } = resolve(options);
      for (const message of messages) {
        const frame = lengthPrefix(options).encode(message);
        const expected = concat([new Uint8Array(strip), message]);
        const length = BigInt(expected.length - header - adjustment);
        for (let i = 0; i < bytes; i++) {
          const shift = 8n * BigInt(options.endian === "little" ? i : bytes - 1 - i);
          expected[offset + i] = Number(length >> shift & 0xffn);
        }
        assertEquals(frame, expected);
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("Framing.encodeInto(), encodeParts(), encodeHeader() and encode() agree, whatever the target held", () => {
  const named = fc.constantFrom(...KINDS).chain(({ make, carried = (message) => message }) =>
    fc.record({
      framed: fc.constant(make()),
      messages: fc.array(bytes(200).map(carried), { maxLength: 4 }),
    })
  );
  const free = prefixed.map(({ options, messages }) => ({
    framed: lengthPrefix(options),
    messages,
  }));
  fc.assert(
    fc.property(fc.oneof(named, free), ({ framed, messages }) => {
      for (const message of messages) {
        const frame = framed.encode(message);
        assertEquals(concat(framed.encodeParts(message)), frame);
        const header = framed.encodeHeader?.(message);
        if (header !== undefined) assertEquals(concat([header, message]), frame);
        assertEquals(framed.frameBytes(message), frame.length);
        const target = new Uint8Array(frame.length + 2).fill(0xee);
        assertEquals(framed.encodeInto(message, target, 1), frame.length + 1);
        assertEquals(target, concat([hex("ee"), frame, hex("ee")]));
      }
    }),
    { numRuns: 500 },
  );
});

/** Framings with small limits, so that bytes by chance get beyond the header often. */
const FUZZED: Framing[] = [
  ...FRAMING_NAMES.map((name) => framing(name, { maxMessageBytes: 20 })),
  varint({ maxMessageBytes: Number.MAX_SAFE_INTEGER }),
  framing("u64be", { maxMessageBytes: Number.MAX_SAFE_INTEGER }),
  line({ maxMessageBytes: 20, telnet: false }),
  erlangPacket("line"),
  lengthPrefix({ bytes: 1, includesHeader: true, offset: 1 }),
  lengthPrefix({ bytes: 1, adjustment: -100 }),
  lengthPrefix({ bytes: 1, adjustment: 3, strip: 7, maxMessageBytes: 40 }),
  lengthPrefix({ bytes: 2, endian: "little", offset: 3, strip: 0, maxMessageBytes: 40 }),
  nettyLengthField({ lengthFieldLength: 1, lengthAdjustment: -1, initialBytesToStrip: 2 }),
  none({ maxMessageBytes: 3 }),
];

/** Bytes among which small numbers, lengths by chance, are frequent. */
const fuzz = fc.array(
  fc.oneof(awkwardByte, fc.nat({ max: 12 }), fc.constant(0)),
  { maxLength: 60, size: "max" },
).map((values) => Uint8Array.from(values));

Deno.test("Decoder lets out only typed errors, the same ones however 10 000 streams are cut", () => {
  fc.assert(
    fc.property(fc.constantFrom(...FUZZED), fuzz, cuts, (framed, stream, cuts) => {
      const decoder = framed.decoder();
      const { messages, error } = outcomeOf(decoder, chop(stream, cuts));
      if (error !== undefined) {
        assert(error instanceof LengthwiseError, String(error));
        assertStrictEquals(outcomeOf(decoder, [stream]).error, error);
      }
      const size = messages.reduce((sum, message) => sum + message.length, 0);
      assert(size <= stream.length);
      assert(messages.every((message) => message.length <= framed.maxMessageBytes));
      assert(decoder.pendingBytes <= stream.length);

      const whole = outcomeOf(framed.decoder(), [stream.slice()]);
      if (framed.keepsBoundaries) assertEquals(messages, whole.messages);
      else assertEquals(concat(messages), concat(whole.messages));
      assertEquals(error?.constructor, whole.error?.constructor);
    }),
    { numRuns: 10_000 },
  );
});

Deno.test("Framing.encode() lets out only typed errors, and what it encodes can be decoded", () => {
  fc.assert(
    fc.property(fc.constantFrom(...FUZZED), fuzz, (framed, message) => {
      let frame: Uint8Array;
      try {
        frame = framed.encode(message);
      } catch (error) {
        assert(error instanceof LengthwiseError, String(error));
        return;
      }
      const { messages, error } = outcomeOf(framed.decoder(), [frame]);
      if (error !== undefined) {
        assert(error instanceof LengthwiseError, String(error));
        assert(message.length > framed.maxMessageBytes);
      } else if (framed.keepsBoundaries) {
        assertEquals(messages.length, 1);
        assertEquals(framed.encode(messages[0]), frame);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("decode() yields the same messages as a decoder, wherever the stream is cut", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...FUZZED), fuzz, cuts, async (framed, stream, cuts) => {
      const expected = outcomeOf(framed.decoder(), chop(stream, cuts));
      const messages: Uint8Array[] = [];
      let failure: unknown;
      try {
        for await (const message of decode(chop(stream, cuts), framed)) messages.push(message);
      } catch (error) {
        failure = error;
      }
      assertEquals(messages, expected.messages);
      assertEquals(String(failure), String(expected.error));
    }),
    { numRuns: 300 },
  );
});

Deno.test("Decoder.readTarget() is where a message is put together, whoever reads there or does not", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 400_000 }), { minLength: 1, maxLength: 4 });
  const reads = fc.array(
    fc.record({ bytes: fc.integer({ min: 1, max: 90_000 }), isInPlace: fc.boolean() }),
    { minLength: 1, maxLength: 12 },
  );
  const names = fc.constantFrom(
    "u24be" as const,
    "u32be" as const,
    "u32le" as const,
    "varint" as const,
  );
  const pattern = Uint8Array.from({ length: 400_012 }, (_, at) => at * 7);
  let inPlace = 0;
  fc.assert(
    fc.property(names, sizes, reads, (name, sizes, reads) => {
      const messages = sizes.map((size, i) => pattern.slice(i, i + size));
      const stream = encodeAll(framing(name), messages);
      const decoder = framing(name).decoder();
      const decoded: Uint8Array[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const { bytes, isInPlace } = reads[turn % reads.length];
        const most = 65_536;
        const target = isInPlace ? decoder.readTarget!(most) : undefined;
        const { pendingBytes } = decoder;
        // Twice: whoever asks and reads elsewhere may ask again.
        if (target !== undefined) {
          assertEquals(decoder.readTarget!(most)?.byteOffset, target.byteOffset);
        }
        assert((target?.length ?? 0) <= Math.max(most, 3 * pendingBytes));
        const chunk = (target ?? new Uint8Array(bytes)).subarray(
          0,
          Math.min(bytes, stream.length - at),
        );
        chunk.set(stream.subarray(at, at + chunk.length));
        if (target !== undefined) inPlace++;
        at += chunk.length;
        decoder.decode(chunk, decoded);
      }
      assertEquals(decoder.pendingBytes, 0);
      assertEquals(decoded.length, messages.length);
      for (const [i, message] of decoded.entries()) assert(equals(message, messages[i]));
    }),
    { numRuns: 60 },
  );
  assert(inPlace > 100, `only ${inPlace} reads in place`);
});
