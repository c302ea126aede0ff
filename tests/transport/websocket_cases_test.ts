/**
 * The cases of Autobahn's test suite for WebSockets, written anew from their descriptions, against both
 * of our ends. `LENGTHWISE_FULL=1` runs those of group 9 in full size.
 */

import { assert, assertEquals } from "@std/assert";
import { bytes, type Case, text } from "./websocket_cases/case.ts";
import { endCases } from "./websocket_cases/ends.ts";
import { frameCases } from "./websocket_cases/frames.ts";
import { largeCases, ROUND_TRIPS } from "./websocket_cases/large.ts";
import { bytesOf, type Frame } from "./websocket_cases/peer.ts";
import { failuresOf, readAll, SIDES, underTest } from "./websocket_cases/run.ts";
import { CUT_TEXTS, textCases } from "./websocket_cases/texts.ts";

const isFull = Deno.env.get("LENGTHWISE_FULL") !== undefined;
const large = largeCases(isFull ? 1 : 16);

const GROUPS: [what: string, cases: readonly Case[]][] = [
  ["1 to 5 and 10: sizes, pings, reserved bits, opcodes, fragments", frameCases],
  ["6: text is UTF-8", textCases],
  ["7: closing, codes and reasons", endCases],
  ["9: large messages, fragments and chunks", large],
];

for (const side of SIDES) {
  for (const [what, cases] of GROUPS) {
    Deno.test(`ws: our ${side} holds Autobahn's cases ${what}`, async () => {
      await using under = await underTest(side);
      assert(cases.length > 30, `${cases.length} cases`);
      assertEquals(await failuresOf(cases, under), []);
    });
  }

  Deno.test(`ws: our ${side} refuses text at its first wrong byte, inside of a frame (6.4.3, 6.4.4)`, async () => {
    await using under = await underTest(side);
    for (const [id, length, part] of CUT_TEXTS) {
      using peer = await under.peer();
      const whole = bytesOf(text(new Uint8Array(length)), side === "server");
      const start = bytesOf(text(part), side === "server");
      start[1] = whole[1]; // What follows is announced, and never comes.
      await peer.write(start);
      const { got, code } = await readAll(peer, [], () => Promise.resolve());
      assertEquals([id, got.length, code], [id, 0, 1007]);
    }
  });

  Deno.test(`ws: our ${side} holds Autobahn's cases 9.7 and 9.8: messages there and back`, async () => {
    await using under = await underTest(side);
    for (const make of [text, bytes] as ((body: Uint8Array) => Frame)[]) {
      for (const size of ROUND_TRIPS) {
        using peer = await under.peer();
        const frame = make(new Uint8Array(size).fill(42));
        for (let i = 0; i < (isFull ? 1000 : 50); i++) {
          await peer.send([frame], "whole");
          const { first, body } = (await peer.receive())!;
          assertEquals([first, body.length], [0x80 | frame.opcode, size]);
        }
      }
    }
  });
}
