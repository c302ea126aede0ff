import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  InvalidLengthError,
  InvalidMessageError,
  MessageTooLargeError,
  TruncatedMessageError,
} from "../../errors.ts";
import { berTlv } from "../../codec/ber_tlv.ts";
import {
  allocatedBytes,
  byteByByte,
  cutAt,
  decodeAll,
  everyCut,
  everyTwoCuts,
  hex,
  outcomeOf,
} from "../support/bytes.ts";
import { assertRefused, shifted } from "../support/refusals.ts";

const VALUES = [
  "05 00", // null
  "02 01 2a", // an integer
  "30 06 02 01 01 02 01 02", // a sequence of definite length
  "04 81 03 616263", // its length in the long form
  "04 84 00000003 616263", // with leading zeros
  "1f 81 48 01 ff", // the tag 200
  "9f 83 ff 7f 00", // the tag 65535
  "30 80 00 00", // an empty sequence of indefinite length
  "30 80 02 01 2a 00 00",
  "24 80 04 02 0000 04 01 ff 00 00", // zeros in the contents are no end
  "30 80 30 80 05 00 00 00 31 80 00 00 00 00", // one in another
  "30 06 30 80 02 01 2a 00", // inside of a definite length nothing is looked at
].map(hex);

Deno.test("berTlv() finds whole values, at every cut", () => {
  for (const value of VALUES) {
    assertEquals(berTlv().encode(value), value);
    for (const chunks of [...everyTwoCuts(value), byteByByte(value)]) {
      assertEquals(decodeAll(berTlv(), chunks), [value]);
    }
  }
  const stream = hex(VALUES.map((value) => value.toHex()).join(""));
  for (const chunks of [...everyCut(stream), byteByByte(stream)]) {
    assertEquals(decodeAll(berTlv(), chunks), VALUES);
  }
});

Deno.test("berTlv() carries a search of LDAP and a question of SNMP", () => {
  const ldap = hex("30 0c 02 01 01 60 07 02 01 03 04 00 80 00");
  const snmp = hex(`
    30 29 02 01 01 04 06 7075626c6963 a0 1c 02 04 00000001 02 01 00 02 01 00
    30 0e 30 0c 06 08 2b06010201010500 05 00
  `);
  const stream = hex(ldap.toHex() + snmp.toHex() + ldap.toHex());
  for (const chunks of [...everyCut(stream), byteByByte(stream)]) {
    assertEquals(decodeAll(berTlv(), chunks), [ldap, snmp, ldap]);
  }
});

Deno.test("berTlv() refuses what is no value, and says the byte and its offset", () => {
  const refusals: [string, typeof InvalidLengthError, string][] = [
    ["00 00", InvalidMessageError, "it has 0x00 at byte 0, where a tag must be"],
    [
      "30 80 00 01",
      InvalidMessageError,
      "it has 0x01 at byte 3, where 0x00, the length of an end-of-contents, must be",
    ],
    [
      "04 80 00 00",
      InvalidLengthError,
      "its length is indefinite at byte 1, but its value is primitive",
    ],
    ["30 ff", InvalidLengthError, "its length is 0xff at byte 1, which is reserved"],
    ["04 89 00", InvalidLengthError, "its length has 9 bytes at byte 1: limit is 8 bytes"],
    ["30 80 04 fe", InvalidLengthError, "its length has 126 bytes at byte 3: limit is 8 bytes"],
    [
      "1f 80 01 00",
      InvalidMessageError,
      "it has 0x80 at byte 1, where a tag without leading zeros must be",
    ],
    [
      "1f 81818181 81818181 8101 00",
      InvalidMessageError,
      "its tag has 11 bytes at byte 10: limit is 10 bytes",
    ],
  ];
  for (const [digits, Class, what] of refusals) {
    const words = `Cannot receive message: ${what}`;
    assertRefused(berTlv(), hex(digits), Class, words);
    assertRefused(berTlv(), hex(`05 00 ${digits}`), Class, shifted(words, 2), 1);
  }
});

Deno.test("berTlv() takes a value at the limit and refuses a larger one from its header", () => {
  const limited = berTlv({ maxMessageBytes: 8 });
  for (const digits of ["04 06 010203040506", "30 80 04 02 0102 0000"]) {
    const value = hex(digits);
    for (const chunks of [...everyTwoCuts(value), byteByByte(value)]) {
      assertEquals(decodeAll(limited, chunks), [value]);
    }
  }
  for (
    const [digits, size] of [
      ["04 07", 9],
      ["04 84 ffffffff", 2 ** 32 + 5],
      ["30 80 04 03", 9], // its end-of-contents must come, too
      ["30 80 30 80 05 00", 10],
      ["30 80 05 00 05 00 05 00 05 00", 10],
    ] as const
  ) {
    for (const chunks of [[hex(digits)], ...everyCut(hex(digits)), byteByByte(hex(digits))]) {
      const { error } = outcomeOf(limited.decoder(), chunks);
      assert(error instanceof MessageTooLargeError, digits);
      assertEquals([error.size, error.limit], [size, 8]);
    }
  }
});

Deno.test("berTlv() refuses lengths that are nested too deep, and needs no stack for others", () => {
  const deep = (levels: number) => hex("3080".repeat(levels) + "0000".repeat(levels));
  const words = "Cannot receive message: it is nested 513 levels deep at byte 1025: " +
    "limit is 512 levels";
  assertEquals(decodeAll(berTlv(), [deep(512)]), [deep(512)]);
  assertRefused(berTlv(), deep(513), InvalidMessageError, words);
  assertRefused(berTlv(), deep(1000), InvalidMessageError, words);
  for (const levels of [1000, 1_000_000]) {
    const value = deep(levels);
    const chunks = cutAt(value, 1, levels + 1, 3 * levels);
    assertEquals(decodeAll(berTlv({ maxDepth: levels }), chunks)[0].length, value.length);
  }
});

Deno.test("berTlv() says what is missing at the end", () => {
  for (
    const [digits, missing] of [
      ["04", 1],
      ["04 05 6869", 3],
      ["04 82 01", 1],
      ["30 80", 2],
      ["30 80 30 80", 4],
      ["30 80 04 05 61", 6],
      ["30 80 04 82 01", 3],
      ["30 80 1f 81", 4],
      ["30 80 04", 3],
      ["30 80 00", 1],
      ["30 80 30 80 00", 3],
    ] as const
  ) {
    for (const chunks of [[hex(digits)], byteByByte(hex(digits))]) {
      const { error } = outcomeOf(berTlv().decoder(), chunks);
      assert(error instanceof TruncatedMessageError);
      assertEquals([error.received, error.missing], [hex(digits).length, missing], digits);
    }
  }
});

Deno.test("berTlv() reads a large value of definite length into its place", () => {
  const value = new Uint8Array(100_004).fill(0x61);
  value.set(hex("04 83 0186 9f"));
  const decoder = berTlv().decoder();
  decoder.decode(value.slice(0, 50_000));
  const target = decoder.readTarget!(65_536);
  assertEquals(target?.length, value.length - 50_000);
  target!.set(value.subarray(50_000));
  const allocated = allocatedBytes(() => assertEquals(decoder.decode(target!), [value]));
  assertEquals(allocated, 0);
});

Deno.test("berTlv() refuses to send what is not one value", () => {
  for (
    const [digits, what] of [
      ["", "it is not one BER value, it ends too early, at byte 0"],
      ["04 03 6162", "it is not one BER value, it ends too early, at byte 4"],
      ["30 80 05 00", "it is not one BER value, it ends too early, at byte 4"],
      ["05 00 05 00", "it is not one BER value, more follows at byte 2"],
      ["30 80 00 00 00", "it is not one BER value, more follows at byte 4"],
      ["68 89 00", "its length has 9 bytes at byte 1: limit is 8 bytes"],
    ]
  ) {
    const error = assertThrows(() => berTlv().encode(hex(digits)));
    assert(error instanceof InvalidMessageError || error instanceof InvalidLengthError);
    assertEquals(error.message, `Cannot send message: ${what}`);
  }
});
