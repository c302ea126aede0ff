/** `duplex()`: a framing that differs by direction. */

import { assertEquals, assertThrows } from "@std/assert";
import { duplex, framing, line } from "../../codec.ts";
import { whole } from "../../codec/internal.ts";

const both = duplex({ in: line(), out: framing("u16be") });

Deno.test("duplex() decodes by one framing and encodes by the other", () => {
  const hi = new Uint8Array([104, 105]);
  assertEquals(both.decoder().decode(new Uint8Array([104, 105, 10])), [hi]);
  assertEquals(both.encode(hi), new Uint8Array([0, 2, 104, 105]));
  assertEquals(both.encodeHeader!(hi), new Uint8Array([0, 2]));
  assertEquals(both.encodeParts(hi), [new Uint8Array([0, 2]), hi]);
  assertEquals(both.frameBytes(hi), 4);
  const target = new Uint8Array(5);
  assertEquals(both.encodeInto(hi, target, 1), 5);
  assertEquals(target, new Uint8Array([0, 0, 2, 104, 105]));
  assertEquals(both.name, "duplex(in:line,out:u16be)");
});

Deno.test("duplex() limits what is received, and not what is sent", () => {
  const limited = both.withLimit(3);
  assertEquals(limited.maxMessageBytes, 3);
  assertThrows(() => limited.decoder().decode(new Uint8Array([1, 1, 1, 1, 10])));
  assertEquals(limited.encode(new Uint8Array(9)).length, 11);
});

Deno.test("duplex() of duplex() takes each direction from its own", () => {
  const turned = duplex({ in: both, out: both });
  assertEquals(turned.name, both.name);
});

Deno.test("duplex() refuses what is no framing of messages", () => {
  assertThrows(
    () => duplex({ in: line(), out: undefined as unknown as ReturnType<typeof line> }),
    TypeError,
    "out undefined",
  );
  assertThrows(() => duplex({ in: whole(), out: line() }), TypeError, "in whole");
});
