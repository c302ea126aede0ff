import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import {
  framing,
  InvalidLengthError,
  InvalidMessageError,
  lengthPrefix,
  type LengthPrefixOptions,
  MessageTooLargeError,
  TruncatedMessageError,
  varint,
} from "../../codec.ts";
import { byteByByte, cutAt, decodeAll, everyTwoCuts, hex, outcomeOf } from "../support/bytes.ts";

Deno.test("lengthPrefix() carries the longest message that its prefix can say", () => {
  for (
    const [name, size, header] of [
      ["u8", 255, "ff"],
      ["u16be", 256, "0100"],
      ["u16le", 256, "0001"],
      ["u16be", 65_535, "ffff"],
      ["u16le", 65_535, "ffff"],
      ["u24be", 65_536, "010000"],
      ["u32be", 65_536, "00010000"],
      ["u32le", 65_536, "00000100"],
      ["u64be", 65_536, "0000000000010000"],
    ] as const
  ) {
    const message = new Uint8Array(size).fill(0x78);
    const frame = framing(name).encode(message);
    assertEquals(frame.subarray(0, hex(header).length), hex(header));
    assertEquals(decodeAll(framing(name), cutAt(frame, 1, 2, 9)), [message]);
  }
});

Deno.test("lengthPrefix() refuses to send what its prefix cannot say", () => {
  for (
    const [name, size, most] of [
      ["u8", 256, 255],
      ["u8", 300, 255],
      ["u16be", 65_536, 65_535],
      ["u16le", 65_536, 65_535],
      ["u24be", 16_777_216, 16_777_215],
    ] as const
  ) {
    const message = new Uint8Array(size);
    for (const encode of ["frameBytes", "encode", "encodeParts"] as const) {
      const error = assertThrows(() => framing(name)[encode](message), MessageTooLargeError);
      assertEquals([error.size, error.limit], [size, most]);
      assertEquals(
        error.message,
        `Cannot send message of ${size} bytes: limit is ${most} bytes (framing ${name})`,
      );
    }
  }
  // Nobody has 4 GiB to spare in a test; of the message only its length is asked here.
  const huge = { length: 2 ** 32 } as Uint8Array;
  assertThrows(() => framing("u32be").frameBytes(huge), MessageTooLargeError, "4294967296");
  assertThrows(() => framing("u32le").frameBytes(huge), MessageTooLargeError, "4294967295");
  assertEquals(framing("u64be").frameBytes(huge), 2 ** 32 + 8);
});

Deno.test("lengthPrefix() counts what else the length has to say when it refuses to send", () => {
  const counting = lengthPrefix({ bytes: 1, includesHeader: true });
  assertEquals(counting.encode(new Uint8Array(254))[0], 255);
  assertThrows(() => counting.encode(new Uint8Array(255)), MessageTooLargeError, "limit is 254");
});

Deno.test("lengthPrefix() refuses to send a message shorter than the header expected in it", () => {
  const whole = lengthPrefix({ bytes: 2, offset: 1, strip: 0 });
  assertThrows(() => whole.encode(hex("ca00")), InvalidMessageError, "message of 2 bytes");
  assertEquals(whole.encode(hex("ca0000")), hex("ca0000"));
  const counting = lengthPrefix({ bytes: 2, includesHeader: true, strip: 0 });
  assertThrows(() => counting.encode(hex("00")), InvalidMessageError, "message of 1 bytes");
  assertEquals(counting.encode(hex("0000")), hex("0002"));
  const behind = lengthPrefix({ bytes: 2, adjustment: 2 });
  assertThrows(() => behind.encode(hex("ca")), InvalidMessageError, "message of 1 bytes");
  assertThrows(() => behind.encodeParts(hex("ca")), InvalidMessageError);
  assertEquals(behind.encode(hex("cafe")), hex("0000 cafe"));
});

Deno.test("lengthPrefix() in every arrangement of the module page", () => {
  for (
    const [options, frame, message] of [
      [{ includesHeader: true }, "00000009 48454c4c4f", "48454c4c4f"],
      [{ bytes: 2, offset: 1 }, "00 0005 48454c4c4f", "48454c4c4f"],
      [{ bytes: 2, offset: 1, strip: 0 }, "ca 0005 48454c4c4f", "ca000548454c4c4f"],
      [{ bytes: 2, offset: 1, strip: 2 }, "00 0005 48454c4c4f", "05 48454c4c4f"],
      [{ bytes: 2, adjustment: 1, strip: 2 }, "0005 fe 48454c4c4f", "fe48454c4c4f"],
      [{ bytes: 3, endian: "little" }, "050000 48454c4c4f", "48454c4c4f"],
      [{ bytes: 8, endian: "little" }, "0500000000000000 48454c4c4f", "48454c4c4f"],
      [{ bytes: 1, strip: 3 }, "07 0000 48454c4c4f", "48454c4c4f"],
    ] as const
  ) {
    const arranged = lengthPrefix(options);
    assertEquals(arranged.encode(hex(message)), hex(frame));
    assertEquals(concat(arranged.encodeParts(hex(message))), hex(frame));
    for (const chunks of everyTwoCuts(hex(frame + frame))) {
      assertEquals(decodeAll(arranged, chunks), [hex(message), hex(message)]);
    }
  }
});

Deno.test("lengthPrefix().encodeInto() leaves nothing of what its target held before", () => {
  const arranged = lengthPrefix({ bytes: 2, offset: 1, strip: 2 });
  const target = new Uint8Array(4).fill(0xee);
  assertEquals(arranged.encodeInto(hex("0041"), target, 0), 4);
  assertEquals(target, hex("00 0001 41"));
});

Deno.test("lengthPrefix() refuses lengths that do not cover the header they count", () => {
  for (
    const [options, least, message, below] of [
      [{ includesHeader: true }, "00000004", "", "00000003"],
      [{ includesHeader: true }, "00000004", "", "00000000"],
      [{ bytes: 1, includesHeader: true }, "01", "", "00"],
      [{ bytes: 2, endian: "little", includesHeader: true }, "0200", "", "0100"],
      [{ bytes: 8, includesHeader: true }, "0000000000000008", "", "0000000000000007"],
      [{ bytes: 2, offset: 1, includesHeader: true }, "ca0003", "", "ca0002"],
      [{ bytes: 2, offset: 1, adjustment: -3, strip: 0 }, "ca0003", "ca0003", "ca0002"],
      [{ bytes: 2, adjustment: -1 }, "0001", "", "0000"],
      [{ bytes: 2, adjustment: -20 }, "0014", "", "0013"],
      [{ bytes: 1, strip: 4 }, "03 000000", "", "02 0000"],
    ] as const
  ) {
    const counting = lengthPrefix(options);
    assertEquals(decodeAll(counting, byteByByte(hex(least))), [hex(message)]);
    for (const chunks of [[hex(below)], byteByByte(hex(below))]) {
      const { messages, error } = outcomeOf(counting.decoder(), chunks);
      assertEquals(messages, []);
      assert(error instanceof InvalidLengthError, String(error));
    }
  }
});

Deno.test("lengthPrefix() says which length it refuses, and what it should cover", () => {
  const error = assertThrows(
    () => lengthPrefix({ includesHeader: true }).decoder().decode(hex("00000003")),
    InvalidLengthError,
  );
  assertEquals(
    error.message,
    "Cannot receive message: length 3 is too small, the header alone has 4 bytes",
  );
  assertThrows(
    () => lengthPrefix({ bytes: 1, strip: 4 }).decoder().decode(hex("02 0000")),
    InvalidLengthError,
    "length 2 is too small, the header alone has 4 bytes",
  );
});

Deno.test("lengthPrefix() says what is missing of frames with more than a length", () => {
  const arranged = lengthPrefix({ bytes: 2, offset: 1, adjustment: 2, strip: 3 });
  const frame = hex("ca 0002 cafe 6869");
  for (
    const [at, received, missing] of [[1, 1, 2], [2, 2, 1], [3, 3, 4], [5, 5, 2], [6, 6, 1]]
  ) {
    const { error } = outcomeOf(arranged.decoder(), byteByByte(frame.slice(0, at)));
    assert(error instanceof TruncatedMessageError);
    assertEquals([error.received, error.missing], [received, missing]);
  }
});

/** A header that says a length, after what stands before it. */
function headerOf(length: bigint, { bytes = 4, endian, offset = 0 }: LengthPrefixOptions) {
  const digits = hex(length.toString(16).padStart(2 * bytes, "0"));
  if (endian === "little") digits.reverse();
  return Uint8Array.from([...new Uint8Array(offset), ...digits]);
}

Deno.test("lengthPrefix() takes a length at the limit and refuses one more, for every width and arrangement", () => {
  const arrangements: LengthPrefixOptions[] = [
    {},
    { offset: 3 },
    { adjustment: 5 },
    { adjustment: -3 },
    { adjustment: 2 ** 31 },
    { includesHeader: true, offset: 2 },
    { strip: 0 },
    { strip: 4096, adjustment: 4100 },
    { strip: 1, offset: 1024, adjustment: -7 },
  ];
  for (const bytes of [1, 2, 3, 4, 8] as const) {
    const longest = 2n ** BigInt(8 * bytes) - 1n;
    for (const arrangement of arrangements) {
      for (const endian of ["big", "little"] as const) {
        const options = { ...arrangement, bytes, endian };
        const whole = lengthPrefix(options).withLimit(Number.MAX_SAFE_INTEGER);
        for (const limit of [200, 255, 65_535, 2 ** 32, whole.maxMessageBytes - 1, Infinity]) {
          if (limit > whole.maxMessageBytes && limit < Infinity) continue;
          const framing = whole.withLimit(Math.min(limit, whole.maxMessageBytes));
          const { offset = 0, includesHeader = false, strip = offset + bytes } = arrangement;
          const { adjustment = includesHeader ? -(offset + bytes) : 0 } = arrangement;
          const length = BigInt(framing.maxMessageBytes) + BigInt(strip - adjustment) -
            BigInt(offset + bytes);
          const what = `${framing.name}, limit ${framing.maxMessageBytes}, length ${length}`;
          if (length < 0n) continue;
          const decoder = framing.decoder();
          const header = headerOf(length, options);
          assertEquals(decoder.decode(header), [], what);
          assertEquals(decoder.pendingBytes, header.length, what);
          for (const more of [1n, 2n, 3n, 9n]) {
            if (length + more > longest) continue;
            const { error } = outcomeOf(framing.decoder(), [headerOf(length + more, options)]);
            assert(error instanceof MessageTooLargeError, `${what} + ${more}: ${error}`);
          }
        }
      }
    }
  }
});

Deno.test('framing("u64be") refuses lengths of 2^53 and more, whatever the limit', () => {
  const most = Number.MAX_SAFE_INTEGER;
  const widest = framing("u64be", { maxMessageBytes: most });
  for (
    const length of [
      "0020000000000000",
      "0020000000000001",
      "0100000000000000",
      "7fffffffffffffff",
      "8000000000000000",
      "ffffffffffffffff",
    ]
  ) {
    for (const chunks of [[hex(length)], byteByByte(hex(length))]) {
      const { error } = outcomeOf(widest.decoder(), chunks);
      assert(error instanceof MessageTooLargeError, String(error));
    }
  }
  const decoder = widest.decoder();
  assertEquals(decoder.decode(hex("001ffffffffffff0")), []);
  assertEquals(decoder.pendingBytes, 8);
  assertThrows(() => decoder.end(), TruncatedMessageError, `${most - 15} bytes missing after 8`);
});

Deno.test('framing("u64be") writes and reads lengths above 2^32', () => {
  const header = new Uint8Array(8);
  const length = 2 ** 40 + 5;
  // Only the length is asked of this message, and its bytes are none.
  const huge = Object.defineProperty(new Uint8Array(0), "length", { value: length });
  assertEquals(framing("u64be").encodeInto(huge, header, 0), 8 + length);
  assertEquals(header, hex("0000010000000005")); // struct.pack("!Q", 2**40 + 5) in Python
  const decoder = framing("u64be", { maxMessageBytes: length }).decoder();
  decoder.decode(header);
  assertThrows(() => decoder.end(), TruncatedMessageError, `${length} bytes missing`);
});

/** What protobuf's `CodedOutputStream.writeUInt32NoTag(length)` writes in Java. */
const VARINTS = [
  [0, "00"],
  [1, "01"],
  [127, "7f"],
  [128, "8001"],
  [300, "ac02"],
  [16_383, "ff7f"],
  [16_384, "808001"],
  [2_097_151, "ffff7f"],
  [2_097_152, "80808001"],
] as const;

Deno.test("varint() sends the shortest length", () => {
  for (const [size, header] of VARINTS) {
    const message = new Uint8Array(size);
    assertEquals(varint().frameBytes(message), hex(header).length + size);
    assertEquals(varint().encode(message).subarray(0, hex(header).length), hex(header));
    assertEquals(varint().encodeParts(message)[0], hex(header));
  }
  const huge = Object.defineProperty(new Uint8Array(0), "length", { value: 2 ** 35 });
  assertEquals(varint().encodeParts(huge)[0], hex("808080808001"));
});

Deno.test("varint() takes lengths of every size, however they are cut", () => {
  for (const [size, header] of VARINTS) {
    const message = new Uint8Array(size).fill(0x78);
    const frame = concat([hex(header), message]);
    for (const cuts of [[], [1], [2], [1, 2, 3, 4], [frame.length - 1]]) {
      const chunks = cutAt(frame, ...cuts.map((cut) => Math.min(Math.max(cut, 0), frame.length)));
      assertEquals(decodeAll(varint(), chunks), [message]);
    }
  }
});

Deno.test("varint() takes lengths longer than they need be, up to ten bytes", () => {
  for (
    const header of ["8200", "828000", "8280808000", "82808080808000", "82808080808080808000"]
  ) {
    const frames = hex(`${header} 6869 ${header} 6869`);
    for (const chunks of everyTwoCuts(frames)) {
      assertEquals(decodeAll(varint(), chunks), [hex("6869"), hex("6869")]);
    }
  }
});

Deno.test("varint() refuses a length of eleven bytes as soon as the tenth promises another", () => {
  for (const tenth of [hex("82808080808080808080"), hex("82808080808080808080 00 6869")]) {
    for (const chunks of [[tenth], byteByByte(tenth)]) {
      const { messages, error } = outcomeOf(varint().decoder(), chunks);
      assertEquals(messages, []);
      assert(error instanceof InvalidLengthError);
      assertEquals(
        error.message,
        "Cannot receive message: its varint is longer than 10 bytes",
      );
    }
  }
  const decoder = varint().decoder();
  assertEquals(decoder.decode(hex("828080808080808080")), []); // nine bytes: still undecided
});

Deno.test("varint() refuses lengths of 2^53 and more, whatever the limit", () => {
  const widest = varint({ maxMessageBytes: Number.MAX_SAFE_INTEGER });
  for (const length of ["8080808080808010", "ffffffffffffffffff01", "ffffffffffffffffff7f"]) {
    const { error } = outcomeOf(widest.decoder(), [hex(length)]);
    assert(error instanceof MessageTooLargeError, String(error));
  }
  const decoder = widest.decoder();
  decoder.decode(hex("ffffffffffffff0f"));
  assertEquals(decoder.pendingBytes, 8);
});

Deno.test("varint() says exactly what is missing of a body", () => {
  const { error } = outcomeOf(varint().decoder(), [hex("ac02 6869")]);
  assert(error instanceof TruncatedMessageError);
  assertEquals([error.received, error.missing], [4, 298]);
});

Deno.test("varint() says of a cut header what is missing for sure, one byte", () => {
  const { error } = outcomeOf(varint().decoder(), [hex("ac")]);
  assert(error instanceof TruncatedMessageError);
  assertEquals([error.received, error.missing], [1, 1]);
});
