/** Cases 1 to 5: sizes, pings and pongs, reserved bits, opcodes, fragments. */

import { hex } from "../../support/bytes.ts";
import {
  back,
  BROKEN,
  bytes,
  type Case,
  type Chop,
  inParts,
  more,
  one,
  ping,
  pong,
  text,
} from "./case.ts";
import { CLOSE, type Frame, type Got } from "./peer.ts";

const CHOPS: readonly Chop[] = ["whole", "frames", 1];
const HELLO = text("Hello, world!");
const ECHO = back(HELLO);

const sizes: Case[] = [
  ...[0, 125, 126, 127, 128, 65_535, 65_536, 65_536].flatMap((size, i) => {
    const chop = i === 7 ? 997 : "whole";
    const words = text("*".repeat(size));
    const octets = bytes(new Uint8Array(size).fill(0xfe));
    return [
      one(`1.1.${i + 1}`, [words], [back(words)], undefined, chop),
      one(`1.2.${i + 1}`, [octets], [back(octets)], undefined, chop),
    ];
  }),
];

const TEN = Array.from({ length: 10 }, (_, i) => ping(`payload-${i}`));
const LONG = ping(new Uint8Array(125).fill(0xfe));

const pings: Case[] = [
  one("2.1", [ping()], [back(ping())]),
  one("2.2", [ping("Hello, world!")], [back(ping("Hello, world!"))]),
  one("2.3", [ping(hex("00fffefdfcfb00ff"))], [["pong", hex("00fffefdfcfb00ff")]]),
  one("2.4", [LONG], [back(LONG)]),
  one("2.5", [ping(new Uint8Array(126).fill(0xfe))], [], BROKEN),
  one("2.6", [LONG], [back(LONG)], undefined, 1),
  one("2.7", [pong()]),
  one("2.8", [pong("unsolicited pong payload")]),
  one("2.9", [pong("unsolicited pong payload"), ping("ping payload")], [
    back(ping("ping payload")),
  ]),
  one("2.10", TEN, TEN.map(back)),
  one("2.11", TEN, TEN.map(back), undefined, 1),
];

/** A whole message, a frame that breaks a rule, and a ping: the message is answered, the ping is not. */
function afterHello(id: string, bad: Frame, chop?: Chop): Case {
  return one(id, [HELLO, bad, ping()], [ECHO], BROKEN, chop);
}

const reserved: Case[] = [
  one("3.1", [text("Hello, world!", { reserved: 1 })], [], BROKEN),
  ...CHOPS.map((chop, i) =>
    afterHello(`3.${i + 2}`, text("Hello, world!", { reserved: i + 2 }), chop)
  ),
  one("3.5", [bytes("00fffefdfcfb00ff", { reserved: 5 })], [], BROKEN),
  one("3.6", [ping("Hello, world!", { reserved: 6 })], [], BROKEN),
  one("3.7", [{ opcode: CLOSE, body: hex("03e8"), reserved: 7 }], [], BROKEN),
];

const opcodes: Case[] = [3, 11].flatMap((least, group) => {
  const id = `4.${group + 1}`;
  const frame = (i: number, body: string) => text(body, { opcode: least + i });
  return [
    one(`${id}.1`, [frame(0, "")], [], BROKEN),
    one(`${id}.2`, [frame(1, "reserved opcode payload")], [], BROKEN),
    ...CHOPS.map((chop, i) =>
      afterHello(`${id}.${i + 3}`, frame(i + 2, i === 0 ? "" : "reserved opcode payload"), chop)
    ),
  ];
});

const PARTS = [text("fragment1", { isFinal: false }), more("fragment2")];
const JOINED: Got = back(text("fragment1fragment2"));
const FIVE = [1, 2, 3, 4, 5].map((n) => `fragment${n}`);
const FIVE_PARTS = FIVE.map((part, i) =>
  i === 0 ? text(part, { isFinal: false }) : more(part, i === 4)
);
const WITH_PINGS = [
  FIVE_PARTS[0],
  FIVE_PARTS[1],
  ping("pongme 1!"),
  FIVE_PARTS[2],
  FIVE_PARTS[3],
  ping("pongme 2!"),
  FIVE_PARTS[4],
];
const FIVE_BACK = [back(ping("pongme 1!")), back(ping("pongme 2!")), back(text(FIVE.join("")))];

/** The same three times: in one write, a write for each frame, a write for each byte. */
function thrice(first: number, send: Frame[], expected: Got[], codes?: readonly number[]): Case[] {
  return CHOPS.map((chop, i) => one(`5.${first + i}`, send, expected, codes, chop));
}

const stray = (isFinal: boolean) => more("non-continuation payload", isFinal);
const twice = (frames: Frame[]) => [...frames, ...frames];

const fragments: Case[] = [
  one("5.1", [ping("fragment1", { isFinal: false }), more("fragment2")], [], BROKEN),
  one("5.2", [pong("fragment1", { isFinal: false }), more("fragment2")], [], BROKEN),
  ...thrice(3, PARTS, [JOINED]),
  ...thrice(6, [PARTS[0], ping("ping payload"), PARTS[1]], [back(ping("ping payload")), JOINED]),
  ...thrice(9, [stray(true), HELLO], [], BROKEN),
  ...thrice(12, [stray(false), HELLO], [], BROKEN),
  one("5.15", [...PARTS, stray(false), HELLO], [JOINED], BROKEN),
  one("5.16", twice([more("fragment1", false), more("fragment2", false), PARTS[1]]), [], BROKEN),
  one("5.17", twice([more("fragment1"), more("fragment2", false), PARTS[1]]), [], BROKEN),
  one("5.18", [PARTS[0], text("fragment2")], [], BROKEN),
  one("5.19", WITH_PINGS, FIVE_BACK),
  one("5.20", WITH_PINGS, FIVE_BACK, undefined, "frames"),
];

const automatic = text("*".repeat(65_536));
const outgoing = [one("10.1.1", inParts(automatic, 1300), [back(automatic)], undefined, "frames")];

/** All of them, and case 10, which cuts a message as some clients do by themselves. */
export const frameCases: readonly Case[] = [
  sizes,
  pings,
  reserved,
  opcodes,
  fragments,
  outgoing,
].flat();
