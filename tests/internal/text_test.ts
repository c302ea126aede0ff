import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { printable, quoted } from "../../internal/text.ts";

Deno.test("printable() shows what a terminal would obey", async (t) => {
  for (
    const [name, text, shown] of [
      ["a CSI sequence", "\x1b[2J\x1b[31mred", "\\x1b[2J\\x1b[31mred"],
      ["a window title", "\x1b]0;root@bank\x07", "\\x1b]0;root@bank\\x07"],
      ["OSC 52, which fills the clipboard", "\x1b]52;c;cm0gLXJm\x07", "\\x1b]52;c;cm0gLXJm\\x07"],
      [
        "OSC 8, which hides where a link leads",
        "\x1b]8;;http://evil\x1b\\good\x1b]8;;\x1b\\",
        "\\x1b]8;;http://evil\\x1b\\good\\x1b]8;;\\x1b\\",
      ],
      ["NUL", "a\0b", "a\\x00b"],
      ["BEL", "\x07", "\\x07"],
      ["backspace", "safe\x08\x08\x08\x08evil", "safe\\x08\\x08\\x08\\x08evil"],
      ["DEL", "\x7f", "\\x7f"],
      ["CR, LF and CRLF", "a\rb\nc\r\n", "a\\x0db\\x0ac\\x0d\\x0a"],
      ["vertical tab and form feed", "\v\f", "\\x0b\\x0c"],
      ["CSI as a C1 control", "\u009b2J", "\\x9b2J"],
      ["the first and the last C1 control, and NEL", "\u0080\u0085\u009f", "\\x80\\x85\\x9f"],
    ]
  ) {
    await t.step(name, () => assertEquals(printable(text), shown));
  }
});

Deno.test("printable() shows what would mislead a reader", async (t) => {
  for (
    const [name, text, shown] of [
      ["right-to-left override", "exe.\u202egpj", "exe.\\u202egpj"],
      ["embeddings", "\u202a\u202b\u202c\u202d", "\\u202a\\u202b\\u202c\\u202d"],
      ["isolates", "\u2066\u2067\u2068\u2069", "\\u2066\\u2067\\u2068\\u2069"],
      ["direction marks", "\u061c\u200e\u200f", "\\u061c\\u200e\\u200f"],
      ["line and paragraph separators", "a\u2028b\u2029c", "a\\u2028b\\u2029c"],
      ["zero-width space", "ad\u200bmin", "ad\\u200bmin"],
      ["word joiner and invisible operators", "\u2060\u2061\u2064", "\\u2060\\u2061\\u2064"],
      ["soft hyphen", "ad\u00admin", "ad\\xadmin"],
      ["Hangul filler", "\u3164", "\\u3164"],
      ["byte order mark", "\ufeffa", "\\ufeffa"],
      ["tag characters", "a\u{e0041}\u{e007f}", "a\\u{e0041}\\u{e007f}"],
      ["lone surrogates", "\ud800a\udc00", "\\ud800a\\udc00"],
      ["surrogates in the wrong order", "\ude00\ud83d", "\\ude00\\ud83d"],
    ]
  ) {
    await t.step(name, () => assertEquals(printable(text), shown));
  }
});

Deno.test("printable() leaves alone what can be read", async (t) => {
  for (
    const [name, text] of [
      ["nothing", ""],
      ["ASCII", " The quick brown fox {}[]~|`'\"!"],
      ["tabs", "a\tb"],
      ["backslashes", "C:\\new\\x1b \\u202e"],
      ["CJK", "漢字かなカナ한글，。「」"],
      ["a non-breaking and an ideographic space", "a\u00a0b\u3000c"],
      ["Arabic and Hebrew", "سلام שלום"],
      ["Persian, with a zero-width non-joiner", "می\u200cخواهم"],
      ["combining marks", "e\u0301 n\u0303 Z\u0351\u036b\u0343"],
      ["an emoji family, with zero-width joiners", "👨\u200d👩\u200d👧\u200d👦"],
      ["skin tones and flags", "👍🏽 🇫🇷"],
      ["variation selectors", "❤\ufe0f 葛\u{e0100}"],
      ["private use", "\ue0a0"],
    ]
  ) {
    await t.step(name, () => assertStrictEquals(printable(text), text));
  }
});

/** Strings of any code units, with more of those that matter than chance would bring. */
const anyText = fc.array(fc.oneof(
  fc.integer({ min: 0, max: 0xffff }),
  fc.integer({ min: 0, max: 0x9f }),
  fc.integer({ min: 0x2000, max: 0x206f }),
  fc.integer({ min: 0xd800, max: 0xdfff }),
)).map((units) => String.fromCharCode(...units));

Deno.test("printable() gives out no control character, whatever comes in", () => {
  fc.assert(fc.property(anyText, (text) => {
    assert(
      !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(printable(text).replaceAll("\t", "")),
    );
  }));
});

Deno.test("printable() changes nothing the second time", () => {
  fc.assert(fc.property(anyText, (text) => {
    assertEquals(printable(printable(text)), printable(text));
  }));
});

Deno.test("quoted() quotes what is text, and short", () => {
  const of = (text: string) => quoted(new TextEncoder().encode(text));
  assertEquals(of("* Cannot join\n"), ' "* Cannot join"');
  assertEquals(of("a\u202eb"), ' "a\\u202eb"');
  for (const none of ["", " ", "\x1b[2J", "two\nlines", "x".repeat(201)]) {
    assertEquals(of(none), "");
  }
  assertEquals(quoted(Uint8Array.of(0xff, 0x41)), "");
});
