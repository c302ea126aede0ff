import { assertEquals, assertThrows } from "@std/assert";
import { decodeNotice, encodeLastingNotice } from "../../request/internal.ts";
import { encodeNotice } from "../../request/notice.ts";

const PARAMS: readonly [string, unknown][] = [
  ["nothing", undefined],
  ["null", null],
  ["no bytes", new Uint8Array(0)],
  ["bytes", Uint8Array.of(1, 2, 255)],
  ["short JSON", { x: 7 }],
  ["long JSON", "a".repeat(300)],
  ["umlauts", "ü".repeat(100)],
  ["bytes of a KiB", new Uint8Array(1_000).fill(9)],
  ["bytes of two KiB", new Uint8Array(2_000).fill(9)],
  ["more than is encoded in place", new Uint8Array(100_000).fill(9)],
];

Deno.test("encodeLastingNotice() gives what encodeNotice() gives, and later ones do not change it", () => {
  const made: { message: Uint8Array; expected: Uint8Array; params: unknown }[] = [];
  for (let i = 0; i < 40; i++) {
    for (const [_, params] of PARAMS) {
      const method = ["moved", "m", "ü", "n".repeat(255)][i % 4];
      const expected = encodeNotice(method, params).slice();
      made.push({ message: encodeLastingNotice(method, params), expected, params });
    }
  }
  for (const { message, expected, params } of made) {
    assertEquals(message, expected);
    assertEquals(decodeNotice(message)?.params, params);
  }
});

Deno.test("encodeLastingNotice() that fails does not harm those before and after it", () => {
  const before = encodeLastingNotice("moved", 1);
  assertThrows(() => encodeLastingNotice("moved", () => {}), TypeError);
  assertThrows(() => encodeLastingNotice("n".repeat(256), 2), TypeError);
  const after = encodeLastingNotice("moved", 3);
  assertEquals([before, after].map((it) => decodeNotice(it)?.params), [1, 3]);
});
