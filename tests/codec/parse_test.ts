/** Framings as text: the grammar, the parameters, the canonical form, the errors. */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import {
  framing,
  FRAMING_KINDS,
  FRAMING_NAMES,
  type FramingText,
  FramingTextError,
  lengthPrefix,
  type LengthPrefixOptions,
  line,
} from "../../codec.ts";
import { CATALOG, LENGTHS } from "../../codec/catalog.ts";
import type { Parameter } from "../../codec/parameters.ts";
import { outcomeOf } from "../support/bytes.ts";
import { KINDS } from "./kinds.ts";

/** A text and its canonical form. */
const RIGHT: [text: string, canonical: string][] = [
  ["length", "u32be"],
  ["length()", "u32be"],
  ["length(bytes:4)", "u32be"],
  ["length(bytes:1,endian:little)", "u8"],
  ["length(bytes:3,endian:little)", "length(bytes:3,endian:little)"],
  ["length(endian:little,bytes:2)", "u16le"],
  ["length(bytes:8,endian:little)", "length(bytes:8,endian:little)"],
  [
    "length(bytes:4,offset:1,adjustment:-4,strip:0)",
    "length(offset:1,adjustment:-4,strip:0)",
  ],
  [" length ( offset : 1 , bytes : 2 ) ", "length(bytes:2,offset:1)"],
  ["length(includesHeader)", "length(adjustment:-4)"],
  ["length(includesHeader:true,offset:3)", "length(offset:3,adjustment:-7)"],
  ["length(includesHeader:false,strip:4)", "u32be"],
  ["length(offset:01)", "length(offset:1)"],
  ["length(adjustment:-0)", "u32be"],
  ["line(newline:lf,telnet:true)", "line"],
  ["line(telnet)", "line"],
  ["line(telnet:false)", "line(telnet:false)"],
  ["line(newline:crlf)", "line(newline:crlf)"],
  ["varint(endian:little)", "varint"],
  ["fixed(0188)", "fixed(188)"],
  ["fixed(bytes:188)", "fixed(188)"],
  ["delimiter(0D0A,keep)", "delimiter(0d0a,keep:true)"],
  ["delimiter(openEnd:true,0d0a,0a,keep:false)", "delimiter(0d0a,0a,openEnd:true)"],
  ["delimiter(delimiters:00,delimiters:0a)", "delimiter(00,0a)"],
  ["octetCounted(send:counted,accept:both)", "octetCounted"],
  ["recordMarking(maxFragmentBytes:2147483647)", "recordMarking"],
  ["tpkt(keepHeader)", "tpkt(keepHeader:true)"],
];

Deno.test("framing() reads kinds with parameters, and names them in canonical form", () => {
  for (const [text, canonical] of RIGHT) {
    assertEquals(framing(text as FramingText).name, canonical, text);
    assertEquals(framing(canonical as FramingText).name, canonical);
  }
});

/** What is wrong with a text, and the drawing's second line. */
const WRONG: [text: string, reason: string, marks: string][] = [
  [
    "length(bites:4)",
    '"bites" at column 8 is unknown; the nearest is "bytes"',
    "       ^^^^^",
  ],
  [
    "length(size:4)",
    '"size" at column 8 is unknown; the parameters are bytes, endian, offset, adjustment, includesHeader, strip',
    "       ^^^^",
  ],
  ["length(bytes:4", 'the end at column 15 should be "," or ")"', "              ^"],
  ["length(", "the end at column 8 should be a name or a value", "       ^"],
  ["length(bytes:)", '")" at column 14 should be a name or a value', "             ^"],
  ["length(,)", '"," at column 8 should be a name or a value', "       ^"],
  ["length(bytes:4,)", '")" at column 16 should be a name or a value', "               ^"],
  [
    "length(bytes:4))",
    '")" at column 16 is too much: the framing ends before it',
    "               ^",
  ],
  ["length(bytes:(4))", '"(" at column 14 should be a name or a value', "             ^"],
  ["length(bytes=4)", '"=" at column 13 should be "," or ")"', "            ^"],
  ["length(bytes:4 5)", '"5" at column 16 should be "," or ")"', "               ^"],
  ["length(\u{1f600})", '"\u{1f600}" at column 8 should be a name or a value', "       ^^"],
  ["length(bytes:5)", '"5" at column 14 must be one of 1, 2, 3, 4, 8', "             ^"],
  ["length(offset:-1)", '"-1" at column 15 must be an integer from 0 to 1024', "              ^^"],
  [
    "length(offset:1e3)",
    '"1e3" at column 15 must be an integer from 0 to 1024',
    "              ^^^",
  ],
  [
    "length(offset:0x1)",
    '"0x1" at column 15 must be an integer from 0 to 1024',
    "              ^^^",
  ],
  [
    "length(offset:1.0)",
    '"1.0" at column 15 must be an integer from 0 to 1024',
    "              ^^^",
  ],
  [
    "length(offset:1025)",
    '"1025" at column 15 must be an integer from 0 to 1024',
    "              ^^^^",
  ],
  ["length(offset:1(2))", '"1" at column 15 takes nothing in parentheses', "              ^"],
  ["length(bytes)", '"bytes" at column 8 needs a value: bytes:…', "       ^^^^^"],
  [
    "length(bytes:4,bytes:2)",
    '"bytes" at column 16 is too much: bytes is given already',
    "               ^^^^^",
  ],
  [
    "length(endian:litle)",
    '"litle" at column 15 must be one of big, little; the nearest is "little"',
    "              ^^^^^",
  ],
  [
    "length(includesHeader:yes)",
    '"yes" at column 23 must be true or false',
    "                      ^^^",
  ],
  [
    "length(includesHeader,adjustment:3)",
    '"length" at column 1 cannot have includesHeader together with adjustment 3: includesHeader means adjustment -4',
    "^^^^^^",
  ],
  ["u8(1)", '"u8" at column 1 takes no parameters; length(…) does', "^^"],
  ["netstring(7)", '"7" at column 11 is unknown; there are no parameters here', "          ^"],
  ["fixed", '"fixed" at column 1 lacks its bytes; right would be fixed(188)', "^^^^^"],
  ["fixed(0)", '"0" at column 7 must be an integer from 1 to 9007199254740991', "      ^"],
  ["fixed(1,2)", '"2" at column 9 is too much: bytes is given already', "        ^"],
  [
    "fixed(16777217)",
    '"fixed" at column 1 cannot have bytes 16777217 together with maxMessageBytes 16777216: each message is too large',
    "^^^^^",
  ],
  ["delimiter(0d0)", '"0d0" at column 11 must be pairs of hexadecimal digits', "          ^^^"],
  ["delimiter(crlf)", '"crlf" at column 11 must be pairs of hexadecimal digits', "          ^^^^"],
  [
    "delimiter()",
    '"delimiter" at column 1 lacks its delimiters; right would be delimiter(0d0a,0a)',
    "^^^^^^^^^",
  ],
  [
    "delimiter(0a,0a0d)",
    '"delimiter" at column 1 cannot have delimiter 0a0d together with 0a: that one ends inside it',
    "^^^^^^^^^",
  ],
  [
    "delimiter(0a,0A)",
    '"delimiter" at column 1 cannot have delimiter 0a together with 0a: it is the same',
    "^^^^^^^^^",
  ],
  [
    "octetCounted(send:lines,accept:counted)",
    '"octetCounted" at column 1 cannot have send lines together with accept counted: the framing would refuse what it sends',
    "^^^^^^^^^^^^",
  ],
  ["lenght(offset:3)", '"lenght" at column 1 is unknown, the nearest is "length"', "^^^^^^"],
];

for (const [text, reason, marks] of WRONG) {
  Deno.test(`framing("${text}") is refused: ${reason}`, () => {
    const error = assertThrows(() => framing(text as FramingText), FramingTextError);
    assertInstanceOf(error, TypeError);
    assertEquals(error.message, `Cannot use framing "${text}": ${reason}`);
    assertEquals([error.text, error.reason], [text, reason]);
    assertEquals(error.column, marks.indexOf("^") + 1);
    assertEquals(error.drawing, `${text}\n${marks}`);
  });
}

Deno.test("framing() says of a word without parameters which names there are", () => {
  const names = FRAMING_NAMES.join(", ");
  for (const text of ["", "u12", "U8", "u8)", "toString", "__proto__", "constructor"]) {
    const error = assertThrows(() => framing(text as FramingText), TypeError);
    assertEquals(error.message, `Cannot use framing "${text}": it must be one of ${names}`);
  }
  const error = assertThrows(() => framing("valueOf()" as FramingText), FramingTextError);
  const kinds = FRAMING_KINDS.join(", ");
  assertEquals(error.reason, `"valueOf" at column 1 is unknown, use one of ${kinds}`);
  assertThrows(() => framing("length(toString:1)"), FramingTextError, '"toString" at column 8');
});

Deno.test("framing() refuses a text that is too long, and too many parentheses", () => {
  const long = `length(${"bytes:4,".repeat(1_000_000)})` as FramingText;
  const error = assertThrows(() => framing(long), FramingTextError);
  assertEquals(
    error.message,
    'Cannot use framing "length(bytes:4,bytes:4,bytes:4,bytes:4,b…": "…" at column 41 comes too late: ' +
      "a framing has at most 2000 characters",
  );
  assertThrows(
    () => framing(`length(${"a(".repeat(900)}` as FramingText),
    FramingTextError,
    '"a" at column 22 is inside more than 8 others',
  );
});

Deno.test("framing() takes a limit, and leaves its range to the framing", () => {
  const options = { maxMessageBytes: 7 };
  for (const { text } of KINDS) assertEquals(framing(text).withLimit(3).maxMessageBytes, 3);
  assertEquals(framing("length(offset:1)", options).maxMessageBytes, 7);
  assertThrows(
    () => framing("length(bytes:1)", { maxMessageBytes: 256 }),
    RangeError,
    "Cannot use maxMessageBytes 256 together with bytes 1: the prefix can say at most 255",
  );
  assertThrows(() => framing("line(telnet:false)", { maxMessageBytes: -1 }), RangeError);
});

Deno.test("framing() throws other errors than those of options as they are", () => {
  assertThrows(() => framing(undefined as unknown as FramingText), TypeError);
});

/** The texts that a parameter can have. */
function textOf(parameter: Parameter): fc.Arbitrary<string> {
  switch (parameter.type) {
    case "integer": {
      const { min, max } = parameter;
      const near = fc.integer({ min: Math.max(min, -20), max: Math.min(max, 40) });
      return fc.oneof(near, fc.maxSafeInteger().map((n) => Math.max(min, Math.min(max, n))))
        .map(String);
    }
    case "boolean":
      return fc.constantFrom("true", "false");
    case "word":
      return fc.constantFrom(...Object.keys(parameter.words));
    case "bytes":
      return fc.uint8Array({ minLength: 1, maxLength: Math.min(4, parameter.max) })
        .map((bytes) => bytes.toHex());
    case "framing":
      return fc.constantFrom(...KINDS.map(({ text }) => text));
  }
}

/** Any text that the catalog allows, also one whose parameters contradict each other. */
const anyText: fc.Arbitrary<string> = fc.constantFrom(...FRAMING_KINDS).chain((kind) => {
  const { parameters, bare } = CATALOG[kind];
  const args = Object.entries(parameters).map(([name, parameter]) => {
    const one = textOf(parameter).map((text) => name === bare ? text : `${name}:${text}`);
    const some = parameter.several
      ? fc.array(one, { minLength: 1, maxLength: 3 })
      : one.map((text) => [text]);
    return parameter.required ? some : fc.option(some, { nil: [], freq: 1 });
  });
  return fc.tuple(...args).chain((list) =>
    fc.shuffledSubarray(list.flat(), { minLength: list.flat().length })
  )
    .map((list) => `${kind}(${list.join(",")})`);
});

Deno.test("Framing.name is canonical, and framing() makes an equal framing of it", () => {
  let made = 0;
  const bytes = fc.array(fc.oneof(fc.nat({ max: 255 }), fc.nat({ max: 9 })), { maxLength: 40 })
    .map((list) => Uint8Array.from(list));
  fc.assert(
    fc.property(anyText, bytes, (text, stream) => {
      let framed;
      try {
        framed = framing(text as FramingText);
      } catch (error) {
        assertInstanceOf(error, FramingTextError);
        return;
      }
      made++;
      const again = framing(framed.name as FramingText);
      assertEquals(again.name, framed.name);
      assertEquals(again.maxMessageBytes, framed.maxMessageBytes);
      assertEquals(again.isSelective, framed.isSelective);
      assertEquals(again.keepsBoundaries, framed.keepsBoundaries);
      const [one, other] = [framed, again].map((each) => {
        const { messages, error } = outcomeOf(each.decoder(), [stream.slice()]);
        return { messages, error: String(error) };
      });
      assertEquals(one, other);
      const frames = [framed, again].map((each) => {
        try {
          return each.encode(stream);
        } catch (error) {
          return String(error);
        }
      });
      assertEquals(frames[0], frames[1]);
    }),
    { numRuns: 3000 },
  );
  assert(made > 1000, `only ${made} framings were made`);
});

Deno.test("lengthPrefix() has a name that makes an equal framing, whatever its options", () => {
  const options: fc.Arbitrary<LengthPrefixOptions> = fc.record({
    bytes: fc.constantFrom(1, 2, 3, 4, 8),
    endian: fc.constantFrom("big", "little"),
    offset: fc.nat({ max: 9 }),
    adjustment: fc.integer({ min: -20, max: 20 }),
    strip: fc.nat({ max: 20 }),
  }, { requiredKeys: [] });
  fc.assert(fc.property(options, fc.nat({ max: 60 }), (options, bytes) => {
    const framed = lengthPrefix(options);
    const again = framing(framed.name as FramingText);
    assertEquals([again.name, again.maxMessageBytes], [framed.name, framed.maxMessageBytes]);
    const message = new Uint8Array(bytes).fill(7);
    const frames = [framed, again].map((each) => {
      try {
        return each.encode(message);
      } catch (error) {
        return String(error);
      }
    });
    assertEquals(frames[0], frames[1]);
  }));
  assertEquals(line({ newline: "\r\n" }).name, "line(newline:crlf)");
});

Deno.test("The catalog tells the defaults that the framings have, and examples that work", () => {
  assertEquals(Object.keys(CATALOG), [...FRAMING_KINDS]);
  for (const kind of FRAMING_KINDS) {
    const { parameters, example, help, bare } = CATALOG[kind];
    assert(/^[A-Z].*\.$/.test(help), help);
    assertEquals(framing(example as FramingText).name, example);
    if (bare !== undefined) assert(bare in parameters, kind);
    for (const [name, parameter] of Object.entries(parameters)) {
      assert(/^[A-Z].*\.$/.test(parameter.help), parameter.help);
      if (parameter.default === undefined || Object.values(parameters).some((p) => p.required)) {
        continue;
      }
      const explicit = `${kind}(${name}:${parameter.default})` as FramingText;
      assertEquals(framing(explicit).name, framing(kind).name, explicit);
    }
  }
  for (const name of Object.keys(LENGTHS)) assertStrictEquals(framing(name as "u8").name, name);
});
