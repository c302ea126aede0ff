/** Cases 7: how a WebSocket is closed, and with which codes. */

import { hex } from "../../support/bytes.ts";
import { back, BROKEN, type Case, close, more, NO_TEXT, one, ping, text } from "./case.ts";
import { CLOSE, type Frame } from "./peer.ts";

const HELLO = text("Hello World!");
const raw = (body: Uint8Array): Frame => ({ opcode: CLOSE, body });
const big = text("BAsd7&jh23".repeat(26_214));

const orders: Case[] = [
  one("7.1.1", [HELLO, close(1000)], [back(HELLO)], [1000]),
  one("7.1.2", [close(1000), close(1000)], [], [1000]),
  one("7.1.3", [close(1000), ping()], [], [1000]),
  one("7.1.4", [close(1000), HELLO], [], [1000]),
  // The message will never be whole, which is worth a word of its own.
  one("7.1.5", [text("part1", { isFinal: false }), close(1000), more("part2")], [], [1000, 1002]),
  one("7.1.6", [big, HELLO, close(1000), ping()], [back(big), back(HELLO)], [1000]),
];

const bodies: Case[] = [
  one("7.3.1", [raw(hex(""))], [], [1000, 1005]),
  one("7.3.2", [raw(hex("61"))], [], BROKEN),
  one("7.3.3", [close(1000)], [], [1000]),
  one("7.3.4", [close(1000, "Hello World!")], [], [1000]),
  one("7.3.5", [close(1000, "*".repeat(123))], [], [1000]),
  one("7.3.6", [close(1000, "*".repeat(124))], [], BROKEN),
  one("7.5.1", [close(1000, hex("cebae1bdb9cf83cebcceb5eda080656469746564"))], [], NO_TEXT),
];

const allowed = [
  1000,
  1001,
  1002,
  1003,
  1007,
  1008,
  1009,
  1010,
  1011,
  3000,
  3999,
  4000,
  4999,
];
const forbidden = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];

const codes: Case[] = [
  // This end answers with 1000, or with the code that it got.
  ...allowed.map((code, i) => one(`7.7.${i + 1}`, [close(code)], [], [1000, code])),
  ...forbidden.map((code, i) => one(`7.9.${i + 1}`, [close(code)], [], BROKEN)),
  one("7.13.1", [close(5000)], [], BROKEN),
  one("7.13.2", [close(65_535)], [], BROKEN),
];

/** All of them. */
export const endCases: readonly Case[] = [orders, bodies, codes].flat();
