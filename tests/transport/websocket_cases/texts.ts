/** Cases 6: text is UTF-8, wherever it is cut, and what is not is refused at its first wrong byte. */

import { hex, utf8 } from "../../support/bytes.ts";
import { back, type Case, inParts, more, NO_TEXT, one, text } from "./case.ts";

const GREEK = "κόσμε";
const MIXED = utf8("Hello-µ@ßöäüàá-UTF-8!!");
const BROKEN_GREEK = hex("cebae1bdb9cf83cebcceb5 eda080 656469746564");

const empty: Case[] = [
  one("6.1.1", [text("")], [back(text(""))]),
  one("6.1.2", [text("", { isFinal: false }), more("", false), more("")], [back(text(""))]),
  one("6.1.3", [text("", { isFinal: false }), more("middle frame payload", false), more("")], [
    back(text("middle frame payload")),
  ]),
];

const valid: Case[] = [
  one("6.2.1", [text(MIXED)], [back(text(MIXED))]),
  one("6.2.2", [text(MIXED.subarray(0, 12), { isFinal: false }), more(MIXED.subarray(12))], [
    back(text(MIXED)),
  ]),
  one("6.2.3", inParts(text(MIXED), 1), [back(text(MIXED))]),
  one("6.2.4", inParts(text(GREEK), 1), [back(text(GREEK))]),
];

const invalid: Case[] = [
  one("6.3.1", [text(BROKEN_GREEK)], [], NO_TEXT),
  one("6.3.2", inParts(text(BROKEN_GREEK), 1), [], NO_TEXT),
];

/** Nothing follows the wrong byte, and the message is not whole: it has to be refused at that byte. */
const START = hex("cebae1bdb9cf83cebcceb5");
const fast: Case[] = [
  one(
    "6.4.1",
    [text(START, { isFinal: false }), more(hex("f4908080"), false)],
    [],
    NO_TEXT,
    "frames",
  ),
  one(
    "6.4.2",
    [text(hex("cebae1bdb9cf83cebcceb5f4"), { isFinal: false }), more(hex("90"), false)],
    [],
    NO_TEXT,
    "frames",
  ),
];

/** Groups of byte sequences, each a text message of its own: `!` is in front of what is not UTF-8. */
const GROUPS: Record<string, string[]> = {
  5: [
    "cebae1bdb9cf83cebcceb5",
    "cebae1bdb9cf83cebcceb5",
    "!cebae1bdb9cf83cebcceb5ff",
    "24",
    "c2a2",
  ],
  6: Array.from({ length: 11 }, (_, i) => {
    const whole = [2, 5, 7, 9, 11].includes(i + 1);
    return `${whole ? "" : "!"}${"cebae1bdb9cf83cebcceb5".slice(0, 2 * i + 2)}`;
  }),
  7: ["00", "c280", "e0a080", "f0908080"],
  8: ["!f888808080", "!fc8480808080"],
  9: ["7f", "dfbf", "efbfbf", "f48fbfbf"],
  10: ["!f7bfbfbf", "!fbbfbfbfbf", "!fdbfbfbfbfbf"],
  11: ["ed9fbf", "ee8080", "efbfbd", "f48fbfbf", "!f4908080"],
  12: [
    "!80",
    "!bf",
    ...[2, 3, 4, 5, 6].map((length) => `!${"80bf".repeat(3).slice(0, 2 * length)}`),
    `!${range(0x80, 0xbf, "")}`,
  ],
  13: [
    `!${range(0xc0, 0xdf, "20")}`,
    `!${range(0xe0, 0xef, "20")}`,
    `!${range(0xf0, 0xf7, "20")}`,
    `!${range(0xf8, 0xfb, "20")}`,
    `!${range(0xfc, 0xfd, "20")}`,
  ],
  14: ["c0", "e080", "f08080", "f8808080", "fc80808080", "df", "efbf", "f7bfbf", "fbbfbfbf"]
    .concat("fdbfbfbfbf").map((digits) => `!${digits}`),
  15: ["!c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf"],
  16: ["!fe", "!ff", "!fefeffff"],
  17: ["!c0af", "!e080af", "!f08080af", "!f8808080af", "!fc80808080af"],
  18: ["!c1bf", "!e09fbf", "!f08fbfbf", "!f887bfbfbf", "!fc83bfbfbfbf"],
  19: ["!c080", "!e08080", "!f0808080", "!f880808080", "!fc8080808080"],
  20: ["eda080", "edadbf", "edae80", "edafbf", "edb080", "edbe80", "edbfbf"].map((s) => `!${s}`),
  21: ["eda080", "edadbf", "edae80", "edafbf"].flatMap((high) => [
    `!${high}edb080`,
    `!${high}edbfbf`,
  ]),
  22: Array.from({ length: 17 }, (_, plane) => [
    toHex(plane * 0x10000 + 0xfffe),
    toHex(plane * 0x10000 + 0xffff),
  ]).flat(),
  23: ["efbfb9", "efbfba", "efbfbb", "efbfbc", "efbfbd", "efbfbe", "efbfbf"],
};

function toHex(codePoint: number): string {
  return utf8(String.fromCodePoint(codePoint)).toHex();
}

function range(first: number, last: number, between: string): string {
  const length = last - first + 1;
  return Array.from({ length }, (_, i) => (first + i).toString(16) + between).join("");
}

const sequences: Case[] = Object.entries(GROUPS).flatMap(([group, list]) =>
  list.map((digits, i) => {
    const message = text(hex(digits.replace("!", "")));
    const id = `6.${group}.${i + 1}`;
    return digits.startsWith("!")
      ? one(id, [message], [], NO_TEXT)
      : one(id, [message], [back(message)]);
  })
);

/** All of them. */
export const textCases: readonly Case[] = [empty, valid, invalid, fast, sequences].flat();

/** Case 6.4.3 and 6.4.4: the bytes of one frame up to the wrong one, of which nothing more comes. */
export const CUT_TEXTS: readonly [id: string, length: number, bytes: Uint8Array][] = [
  ["6.4.3", 21, hex("cebae1bdb9cf83cebcceb5f49080")],
  ["6.4.4", 21, hex("cebae1bdb9cf83cebcceb5f490")],
];
