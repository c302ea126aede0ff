/** Numbers of variable width. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { readVarint, varintBytes, varintEnd, writeVarint } from "../../internal/varint.ts";

const NUMBERS: [value: number, hex: string][] = [
  [0, "00"],
  [1, "01"],
  [127, "7f"],
  [128, "8001"],
  [300, "ac02"],
  [16_383, "ff7f"],
  [16_384, "808001"],
  [2 ** 31, "8080808008"],
  [2 ** 32, "8080808010"],
  [2 ** 35, "808080808001"],
  [Number.MAX_SAFE_INTEGER, "ffffffffffffff0f"],
];

for (const [value, hex] of NUMBERS) {
  Deno.test(`writeVarint() and readVarint() know ${value} as ${hex}`, () => {
    const target = new Uint8Array(12).fill(0xee);
    const end = writeVarint(value, target, 1);
    assertEquals(target.subarray(1, end).toHex(), hex);
    assertEquals([target[0], target[end], varintBytes(value)], [0xee, 0xee, end - 1]);
    assertEquals(varintEnd(target, 1, target.length), end);
    assertEquals(readVarint(target, 1, end), value);
  });
}

Deno.test("varintEnd() finds no end where more bytes are to follow", () => {
  for (const hex of ["", "80", "ffff"]) {
    const bytes = Uint8Array.fromHex(hex);
    assertEquals(varintEnd(bytes, 0, bytes.length), -1);
  }
  assertEquals(varintEnd(Uint8Array.of(0x80, 0x01), 0, 1), -1);
});

Deno.test("readVarint() takes longer forms for what they say", () => {
  assertEquals(readVarint(Uint8Array.fromHex("828080808000"), 0, 6), 2);
});

Deno.test("readVarint() gives back every number that was written", () => {
  fc.assert(fc.property(fc.maxSafeNat(), fc.nat({ max: 9 }), (value, at) => {
    const target = new Uint8Array(20);
    const end = writeVarint(value, target, at);
    assertEquals(varintEnd(target, at, target.length), end);
    assertEquals(readVarint(target, at, end), value);
    assertEquals(varintBytes(value), end - at);
  }));
});
