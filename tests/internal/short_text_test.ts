import { assertEquals, assertThrows } from "@std/assert";
import { decodeText as inPage } from "../../browser/instead/short_text.ts";
import { decodeName, decodeText } from "../../internal/runtime/short_text.ts";

const encoder = new TextEncoder();

/** What each of them makes of a text in the middle of a message. */
function decoded(text: string): string[] {
  const bytes = encoder.encode(text);
  const message = Uint8Array.of(7, ...bytes, 8);
  return [decodeText, decodeName, decodeName, inPage].map((decode) =>
    decode(message, 1, 1 + bytes.length)
  );
}

Deno.test("decodeName() gives what decodeText() gives, the first time and again", async (t) => {
  for (
    const [name, text] of [
      ["nothing", ""],
      ["a letter", "m"],
      ["a name", "moved"],
      ["umlauts", "bewegt: Jürgen 🎉"],
      ["U+FEFF", "\ufeffmoved"],
      ["U+FFFD", "\ufffd"],
      ["32 bytes", "a".repeat(32)],
      ["33 bytes", "a".repeat(33)],
      ["what objects have", "__proto__"],
    ]
  ) {
    await t.step(name, () => assertEquals(decoded(text), Array(4).fill(text)));
  }
});

Deno.test("decodeName() tells names apart that have one length, and the same ends", () => {
  for (let i = 0; i < 3; i++) {
    for (const text of ["get", "gut", "gat"]) assertEquals(decoded(text), Array(4).fill(text));
  }
});

Deno.test("decodeName() knows nothing of a message that changes afterwards", () => {
  const message = encoder.encode("left");
  assertEquals(decodeName(message, 0, 4), "left");
  message.set(encoder.encode("lest"));
  assertEquals(decodeName(message, 0, 4), "lest");
  assertEquals(decodeName(encoder.encode("left"), 0, 4), "left");
});

Deno.test("decodeName() throws for what is not UTF-8, each time", () => {
  const wrong = Uint8Array.of(0x61, 0xff, 0x62);
  for (let i = 0; i < 2; i++) {
    assertThrows(() => decodeName(wrong, 0, 3), TypeError);
    assertThrows(() => decodeText(wrong, 0, 3), TypeError);
    assertThrows(() => inPage(wrong, 0, 3), TypeError);
  }
});
