/** Whether a token is the expected one. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { checkToken, sameAs } from "../../internal/secret.ts";
import { withoutLineEnd } from "../../internal/text.ts";
import { character } from "../support/characters.ts";

Deno.test("checkToken() tells the expected token from others", () => {
  const isToken = checkToken("open sesame");
  assert(isToken("open sesame"));
  const wrong = [
    "",
    "open",
    "open sesam",
    "open sesame ",
    " open sesame",
    "Open sesame",
    "open sesamf",
  ];
  assertEquals(wrong.filter(isToken), []);
});

Deno.test("checkToken() compares the bytes of UTF-8", () => {
  assert(checkToken("schl\u00fcssel")("schl\u00fcssel"));
  assert(!checkToken("schl\u00fcssel")("schlu\u0308ssel"));
  assert(checkToken("\u{1f511}\0")("\u{1f511}\0"));
  // What would be encoded alike is not alike.
  assert(!checkToken("\ufffd")("\ud800"));
});

Deno.test("checkToken() takes tokens of 1 to 1024 bytes", () => {
  for (const token of ["a", "a".repeat(1024), "\u00fc".repeat(512), "\u{1f511}".repeat(256)]) {
    const isToken = checkToken(token);
    assert(isToken(token));
    assert(!isToken(token + "a"));
    assert(!isToken(token.repeat(2000)));
  }
  for (const [token, bytes] of [["", 0], ["a".repeat(1025), 1025], ["\u00fc".repeat(513), 1026]]) {
    assertThrows(
      () => checkToken(token as string),
      TypeError,
      `Cannot use token of ${bytes} bytes: it must have 1 to 1024 bytes`,
    );
  }
});

Deno.test("checkToken() does not show the token in its errors", () => {
  for (const token of ["secret".repeat(200), "secret\ud800"]) {
    const error = assertThrows(() => checkToken(token), TypeError);
    assert(!error.message.includes("secret"));
  }
});

Deno.test("checkToken() refuses half a surrogate pair, and what is no string", () => {
  assertThrows(() => checkToken("a\udc00"), TypeError, "half a surrogate pair");
  for (const [token, type] of [[undefined, "undefined"], [1234, "number"], [null, "object"]]) {
    assertThrows(
      () => checkToken(token as string),
      TypeError,
      `Cannot use token of type ${type}: it must be a string`,
    );
  }
});

Deno.test("checkToken() is true for equal tokens only", () => {
  const token = fc.string({ unit: character, minLength: 1, maxLength: 20 })
    .filter((text) => withoutLineEnd(text) !== "");
  fc.assert(fc.property(token, token, (expected, other) => {
    const isToken = checkToken(expected);
    assert(isToken(expected));
    assertEquals(isToken(other), withoutLineEnd(other) === withoutLineEnd(expected));
  }));
});

Deno.test("checkToken() does not count what a file puts around a token, at either end", () => {
  const around = ["open sesame\n", "open sesame\r\n", "open sesame\n\n", "\ufeffopen sesame\r\n"];
  for (const expected of ["open sesame", ...around]) {
    assertEquals(around.filter(checkToken(expected)), around);
    assert(checkToken(expected)("open sesame"));
    assert(!checkToken(expected)("open sesame "));
    assert(!checkToken(expected)("\nopen sesame"));
  }
  const longest = "a".repeat(1024);
  assert(checkToken(`${longest}\r\n`)(`${longest}\n`));
  for (const nothing of ["\n", "\r\n", "\ufeff\r\n"]) {
    assertThrows(() => checkToken(nothing), TypeError, "Cannot use token of 0 bytes");
  }
});

Deno.test("sameAs() compares texts of any length", () => {
  const texts = [
    "",
    "\0",
    "a",
    "a\0",
    "aa",
    "open sesame",
    "open sesame ",
    "a".repeat(5000),
    "a".repeat(5001),
  ];
  for (const text of texts) assertEquals(texts.filter(sameAs(text)), [text]);
});
