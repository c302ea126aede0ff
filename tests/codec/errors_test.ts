import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  framing,
  InvalidLengthError,
  InvalidMessageError,
  lengthPrefix,
  type LengthPrefixOptions,
  LengthwiseError,
  line,
  MessageTooLargeError,
  nettyLengthField,
  none,
  ProtocolError,
  TruncatedMessageError,
  varint,
} from "../../codec.ts";
import { byteByByte, hex, utf8 } from "../support/bytes.ts";

Deno.test("MessageTooLargeError names the size, the limit, and what the bytes look like", () => {
  const u32be = framing("u32be");
  const u32le = framing("u32le");
  for (
    const [framed, bytes, message] of [
      [
        framing("u32be", { maxMessageBytes: 1_048_576 }),
        hex("7273e375"),
        "1920197493 bytes: limit is 1048576 bytes",
      ],
      [
        u32be,
        utf8("GET / HTTP/1.1\r\n"),
        '1195725856 bytes: limit is 16777216 bytes (it looks like an HTTP request, "GET ")',
      ],
      [
        u32le,
        utf8("GET / HTTP/1.1\r\n"),
        '542393671 bytes: limit is 16777216 bytes (it looks like an HTTP request, "GET ")',
      ],
      [
        u32be,
        utf8("POST /x HTTP/1.1\r\n"),
        '1347375956 bytes: limit is 16777216 bytes (it looks like an HTTP request, "POST")',
      ],
      [
        u32be,
        utf8("SSH-2.0-OpenSSH_9.6\r\n"),
        '1397966893 bytes: limit is 16777216 bytes (it looks like SSH, "SSH-")',
      ],
      [
        u32be,
        utf8("hi\r\n"),
        '1751715082 bytes: limit is 16777216 bytes (it looks like text, "hi\\r\\n")',
      ],
      [
        u32be,
        hex("16030102 0001fc"),
        "369295618 bytes: limit is 16777216 bytes (it looks like a TLS hello)",
      ],
      [u32be, hex("ffffffff"), "4294967295 bytes: limit is 16777216 bytes"],
      [
        u32be,
        hex("80000000"),
        "2147483648 bytes: limit is 16777216 bytes (in the other byte order it is 128 bytes)",
      ],
      [u32le, hex("ffffffff"), "4294967295 bytes: limit is 16777216 bytes"],
      [
        u32le,
        hex("00000080"),
        "2147483648 bytes: limit is 16777216 bytes " +
        "(in the other byte order it is 128 bytes)",
      ],
      [
        u32be,
        hex("05000000 48454c4c4f"),
        "83886080 bytes: limit is 16777216 bytes (in the other byte order it is 5 bytes)",
      ],
      [
        u32le,
        hex("00000005 48454c4c4f"),
        "83886080 bytes: limit is 16777216 bytes (in the other byte order it is 5 bytes)",
      ],
      [
        framing("u64be"),
        utf8("GET / HTTP/1.1\r\n"),
        '5135603447292250000 bytes: limit is 16777216 bytes (it looks like an HTTP request, "GET ")',
      ],
      [
        framing("u64be"),
        hex("0500000000000000"),
        "360287970189639700 bytes: limit is 16777216 bytes (in the other byte order it is 5 bytes)",
      ],
      [
        framing("u16be", { maxMessageBytes: 1000 }),
        hex("0500 48454c4c4f"),
        "1280 bytes: limit is 1000 bytes (in the other byte order it is 5 bytes)",
      ],
      [framing("u8", { maxMessageBytes: 4 }), hex("05ffffffff"), "5 bytes: limit is 4 bytes"],
      [
        varint({ maxMessageBytes: 70 }),
        utf8("GET / HTTP/1.1\r\n"),
        '71 bytes: limit is 70 bytes (it looks like an HTTP request, "GET ")',
      ],
      [varint({ maxMessageBytes: 299 }), hex("ac02"), "300 bytes: limit is 299 bytes"],
      [
        lengthPrefix({ bytes: 2, offset: 2, maxMessageBytes: 1000 }),
        hex("cafe ffff"),
        "65535 bytes: limit is 1000 bytes",
      ],
    ] as const
  ) {
    for (const chunks of [[bytes], framed.name === "u32be" ? byteByByte(bytes) : [bytes]]) {
      const decoder = framed.decoder();
      const error = assertThrows(
        () => chunks.forEach((chunk) => decoder.decode(chunk)),
        MessageTooLargeError,
      );
      assertEquals(error.message, `Cannot receive message of ${message}`);
      assertEquals(error.size, Number(message.split(" ")[0]));
      assertEquals(error.limit, framed.maxMessageBytes);
    }
  }
});

Deno.test("MessageTooLargeError guesses no other byte order in which the size is negative", () => {
  const error = assertThrows(
    () => lengthPrefix({ includesHeader: true }).decoder().decode(hex("02000000")),
    MessageTooLargeError,
  );
  assertEquals(
    error.message,
    "Cannot receive message of 33554428 bytes: limit is 16777216 bytes",
  );
});

Deno.test("MessageTooLargeError of a line says how long it was so far", () => {
  const error = assertThrows(
    () => line({ maxMessageBytes: 5 }).decoder().decode(utf8("HELLO, WORLD")),
    MessageTooLargeError,
  );
  assertEquals(
    error.message,
    "Cannot receive message of 12 bytes: limit is 5 bytes (a line so far)",
  );
});

Deno.test("Errors of the codec are ProtocolErrors and LengthwiseErrors, with their own names", () => {
  const errors = [
    assertThrows(() => framing("u8").encode(new Uint8Array(256))),
    assertThrows(() => lengthPrefix({ includesHeader: true }).decoder().decode(hex("00000000"))),
    assertThrows(() => line().encode(hex("0a"))),
    assertThrows(() => {
      const decoder = framing("u8").decoder();
      decoder.decode(hex("05"));
      decoder.end();
    }),
  ];
  const classes = [
    MessageTooLargeError,
    InvalidLengthError,
    InvalidMessageError,
    TruncatedMessageError,
  ];
  for (const [i, error] of errors.entries()) {
    assertInstanceOf(error, classes[i]);
    assertInstanceOf(error, ProtocolError);
    assertInstanceOf(error, LengthwiseError);
    assertEquals(error.name, classes[i].name);
  }
});

Deno.test("framing() refuses a name that does not exist and lists those that do", () => {
  for (const name of ["u32", "", "U32BE", "toString", "__proto__"]) {
    const error = assertThrows(() => framing(name as "u32be"), TypeError);
    assertEquals(
      error.message,
      `Cannot use framing "${name}": it must be one of ` +
        "u8, u16be, u16le, u24be, u32be, u32le, u64be, varint, line, none",
    );
  }
});

Deno.test("lengthPrefix() refuses conflicting options by an error that names both", () => {
  for (
    const [options, kind, names] of [
      [{ includesHeader: true, adjustment: -4 }, TypeError, ["includesHeader", "adjustment -4"]],
      [{ includesHeader: true, adjustment: 0 }, TypeError, ["includesHeader", "adjustment 0"]],
      [{ bytes: 1, strip: 257 }, TypeError, ["strip 257", "adjustment 0"]],
      [{ bytes: 1, strip: 1, adjustment: -256 }, TypeError, ["strip 1", "adjustment -256"]],
      [{ bytes: 1, maxMessageBytes: 256 }, RangeError, ["maxMessageBytes 256", "bytes 1"]],
      [{ bytes: 2, maxMessageBytes: 65_536 }, RangeError, ["maxMessageBytes 65536", "bytes 2"]],
      [
        { bytes: 1, includesHeader: true, maxMessageBytes: 255 },
        RangeError,
        ["maxMessageBytes 255", "bytes 1", "at most 254"],
      ],
    ] as const
  ) {
    const error = assertThrows(() => lengthPrefix(options), kind);
    assert(error.message.startsWith("Cannot use "), error.message);
    for (const name of names) assert(error.message.includes(name), `${error.message}: ${name}`);
  }
});

Deno.test("lengthPrefix() accepts options at the edge of a conflict", () => {
  assertEquals(lengthPrefix({ includesHeader: false, adjustment: -4 }).maxMessageBytes, 16_777_216);
  assertEquals(lengthPrefix({ bytes: 1, strip: 256 }).maxMessageBytes, 0);
  assertEquals(lengthPrefix({ bytes: 1, adjustment: -255 }).maxMessageBytes, 0);
  assertEquals(lengthPrefix({ bytes: 1, maxMessageBytes: 255 }).maxMessageBytes, 255);
});

Deno.test("lengthPrefix() refuses values out of range by an error that names option and value", () => {
  for (
    const [options, text] of [
      [{ bytes: 0 }, "bytes 0"],
      [{ bytes: 5 }, "bytes 5"],
      [{ bytes: "4" }, "bytes 4"],
      [{ endian: "middle" }, 'endian "middle"'],
      [{ offset: -1 }, "offset -1"],
      [{ offset: 1025 }, "offset 1025"],
      [{ offset: 1.5 }, "offset 1.5"],
      [{ offset: NaN }, "offset NaN"],
      [{ adjustment: 0.5 }, "adjustment 0.5"],
      [{ adjustment: 2 ** 31 + 1 }, "adjustment 2147483649"],
      [{ adjustment: -Infinity }, "adjustment -Infinity"],
      [{ strip: -1 }, "strip -1"],
      [{ strip: 65_537 }, "strip 65537"],
      [{ maxMessageBytes: -1 }, "maxMessageBytes -1"],
      [{ maxMessageBytes: 1.5 }, "maxMessageBytes 1.5"],
      [{ maxMessageBytes: NaN }, "maxMessageBytes NaN"],
      [{ maxMessageBytes: 2 ** 53 }, "maxMessageBytes 9007199254740992"],
    ] as const
  ) {
    const error = assertThrows(() => lengthPrefix(options as LengthPrefixOptions), Error);
    assert(error instanceof TypeError || error instanceof RangeError);
    assert(error.message.startsWith(`Cannot use ${text}: it must be `), error.message);
  }
});

Deno.test("Framings of every kind refuse limits out of range, withLimit() too", () => {
  for (const framed of [framing("u8"), varint(), line(), none()]) {
    for (const limit of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
      assertThrows(() => framed.withLimit(limit), RangeError, `maxMessageBytes ${limit}`);
    }
  }
  assertThrows(() => varint({ maxMessageBytes: -1 }), RangeError, "maxMessageBytes -1");
  assertThrows(() => line({ maxMessageBytes: -1 }), RangeError, "maxMessageBytes -1");
  assertThrows(() => none({ maxMessageBytes: 0 }), RangeError, "maxMessageBytes 0");
});

Deno.test("line() refuses another newline", () => {
  assertThrows(
    () => line({ newline: "\r" as "\n" }),
    TypeError,
    'Cannot use newline "\\r": it must be "\\n" or "\\r\\n"',
  );
});

Deno.test("nettyLengthField() refuses conflicting options by an error that names both", () => {
  const error = assertThrows(
    () => nettyLengthField({ maxFrameLength: 2, initialBytesToStrip: 4 }),
    Error,
  );
  assert(error instanceof TypeError || error instanceof RangeError);
  assert(error.message.includes("maxFrameLength 2"), error.message);
  assert(error.message.includes("initialBytesToStrip 4"), error.message);
});
