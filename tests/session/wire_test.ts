/** The wire of sessions: docs/protocol.md byte by byte, both ends, and the frames' own vectors. */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { SessionProtocolError } from "../../errors.ts";
import { ACK_DELAY } from "../../session/acknowledgments.ts";
import { LONGEST_SENT_BYTES } from "../../session/blocks.ts";
import { SessionCode } from "../../session/codes.ts";
import { LINGER_TIME, Machine } from "../../session/machine.ts";
import { resolveSessionOptions } from "../../session/options.ts";
import {
  decodeFrame,
  encodeDrain,
  encodeEnd,
  encodeRefused,
  encodeReset,
  type Frame,
  FrameType,
  type Hello,
  MAX_FRAME_BYTES,
  MAX_TEXT_BYTES,
  writeDataHeader,
} from "../../session/wire.ts";
import { hex, utf8 } from "../support/bytes.ts";

const page = await Deno.readTextFile(new URL("../../docs/protocol.md", import.meta.url));
const ID = "0123456789abcdef0123456789abcdef";

/** The lines of the page's blocks of one kind. */
function blocks(kind: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${kind}\n([^\`]*)^\`\`\`$`, "gm"))]
    .flatMap(([_, block]) => block.trim().split("\n"));
}

/** The page's conversation between two machines. */
class Conversation {
  readonly ends: Record<"C" | "S", Machine> = {
    C: new Machine("client", resolveSessionOptions()),
    S: new Machine("server", resolveSessionOptions(), ID),
  };
  now = 0;
  readonly #lines = blocks("wire");

  /** The next lines are what these ends say; each is brought to the other end, or lost. */
  say(ends: string, fate: "arrives" | "lost" = "arrives"): void {
    for (const end of ends as Iterable<"C" | "S">) {
      const line = this.#lines.shift()!;
      const [_, who, digits] = /^([CS])> ((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: {2}|$)/.exec(line)!;
      assertEquals(who, end, line);
      const frame = this.ends[end].poll(() => this.now)?.slice();
      assertEquals(frame, hex(digits), line);
      if (fate === "arrives") this.#deliver(end === "C" ? this.ends.S : this.ends.C, frame!);
    }
  }

  #deliver(machine: Machine, frame: Uint8Array): void {
    if (frame[0] === FrameType.HELLO) machine.attach(this.now, decodeFrame(frame) as Hello);
    else machine.receive(frame, this.now);
  }

  /** Nobody has anything more to say. */
  rest(): void {
    for (const end of Object.values(this.ends)) assertEquals(end.poll(() => this.now), undefined);
  }

  /** Every line was said. */
  over(): void {
    assertEquals(this.#lines, []);
  }
}

function message(text: string): Uint8Array {
  return Uint8Array.from([0, 0, 0, text.length, ...utf8(text)]);
}

Deno.test("docs/protocol.md shows what both ends of a session send", () => {
  const talk = new Conversation();
  const { C, S } = talk.ends;
  C.attach(talk.now);
  talk.say("CSSCCS");
  talk.rest();

  C.write(message("hi"), true);
  talk.say("C");
  talk.rest();
  assertEquals(S.take(), message("hi"));
  S.timeout(talk.now += ACK_DELAY);
  talk.say("S");
  S.write(message("yo"), true);
  S.askForAck();
  talk.say("S");
  assertEquals(C.take(), message("yo"));
  talk.say("SCC");
  assertEquals([C.out.acked, S.out.acked], [6, 6]);
  talk.rest();

  C.write(message("123"), true);
  S.write(message("?"), true);
  talk.say("CS", "lost");
  C.detach(talk.now);
  C.attach(talk.now); // The server has not noticed.
  talk.say("CSSSCCCCSS");
  assertEquals([C.take(), S.take()], [message("?"), message("123")]);
  assertEquals([C.resumes, S.resumes], [1, 1]);
  talk.rest();

  S.drain("moving");
  talk.say("S");
  assertEquals(C.drainReason, "moving");
  C.end({ code: 4001, reason: "done" });
  talk.say("CS");
  assertEquals(S.peerEnd, { code: 4001, reason: "done" });
  S.end({});
  talk.say("SC");
  assertEquals([C.carrierState, S.carrierState], ["close", "close"]);
  for (const end of [C, S]) {
    end.detach(talk.now, true);
    assertEquals(end.outcome, { kind: "closed" });
  }
  talk.over();
});

/** Writes a frame again that has a code and a text. */
function encodeAgain(frame: Frame): Uint8Array {
  if (frame.type === FrameType.REFUSED) return encodeRefused(frame.code, frame.text);
  if (frame.type === FrameType.RESET) return encodeReset(frame.code, frame.text);
  throw new TypeError(`Cannot encode frame of type ${frame.type}`);
}

Deno.test("docs/protocol.md shows REFUSED and RESET", () => {
  const lines = blocks("frame");
  assertEquals(lines.length, 2);
  for (const line of lines) {
    const [_, digits, name, code, text] = /^([0-9a-f ]+?) {3}([A-Z]+) (\d+) "(.*)"$/.exec(line)!;
    const frame = decodeFrame(hex(digits));
    const type = FrameType[name as keyof typeof FrameType];
    assertEquals(frame as unknown, { type, code: Number(code), text }, line);
    assertEquals(encodeAgain(frame), hex(digits), line);
  }
});

Deno.test("docs/protocol.md has every frame type, code, limit and time", () => {
  for (const [name, type] of Object.entries(FrameType)) {
    assertMatch(
      page,
      new RegExp(`^\\| \`${type.toString(16).padStart(2, "0")}\` +\\| ${name} `, "m"),
    );
  }
  for (const [name, code] of Object.entries(SessionCode)) {
    assertMatch(page, new RegExp(`^\\| ${code} +\\| \`${name}\` +\\| [A-Z].*\\. +\\|$`, "m"));
  }
  const { retentionTime, helloTimeout, heartbeatInterval, heartbeatTimeout, window } =
    resolveSessionOptions();
  const said = page.replaceAll(/\s+/g, " ");
  for (
    const words of [
      `A frame has at most ${MAX_FRAME_BYTES} bytes. Those sent here have at most ${LONGEST_SENT_BYTES}`,
      `at most ${MAX_TEXT_BYTES} bytes`,
      `came within ${helloTimeout / 1000} seconds`,
      `After ${heartbeatInterval / 1000} seconds without one`,
      `after ${heartbeatTimeout / 1000} seconds more`,
      `${ACK_DELAY} ms after DATA came`,
      `waits ${LINGER_TIME / 1000} seconds for the other`,
      `the window (${window / 2 ** 20} MiB`,
      `${retentionTime / 60_000} min`,
    ]
  ) assert(said.includes(words), words);
});

Deno.test("session frames cut a text before the character that would not fit", () => {
  const reason = "a" + "€".repeat(400);
  const text = "a" + "€".repeat(333);
  for (const frame of [encodeDrain(reason), encodeReset(1, reason), encodeEnd(0, { reason })]) {
    const said = decodeFrame(frame) as { text?: string; info?: { reason?: string } };
    assertEquals(said.text ?? said.info?.reason, text);
    assert(frame.length <= 14 + MAX_TEXT_BYTES);
  }
});

Deno.test("session frames carry any code, and none", () => {
  for (
    const info of [{}, { code: 0 }, { code: 2 ** 32 - 1 }, { reason: "why" }, {
      code: 1,
      reason: "é",
    }]
  ) {
    const frame = decodeFrame(encodeEnd(2 ** 53 - 1, info));
    assertEquals(frame as unknown, { type: FrameType.END, offset: 2 ** 53 - 1, info });
  }
});

Deno.test("session frames that are cut anywhere are refused, and never read beyond", () => {
  const offset = "0000000000000001";
  const frames = [
    `01 4c575350 01 ${ID} ${offset} ${offset} 00000001 00000001`,
    `02 01 01 ${ID} ${offset} ${offset} 00000001`,
    "03 0001",
    `04 ${offset} 61`,
    `05 ${offset} ${offset}`,
    "06 00000001",
    "07 00000001",
    `08 ${offset} 01 00000001`,
    "09 0001",
  ];
  for (const frame of frames) {
    const whole = hex(frame);
    decodeFrame(whole);
    // In the middle of other memory, where reading on would find something.
    const memory = new Uint8Array(2 * whole.length).fill(1);
    memory.set(whole, 3);
    for (let length = 0; length < whole.length; length++) {
      const cut = memory.subarray(3, 3 + length);
      const error = assertThrows(() => decodeFrame(cut), SessionProtocolError);
      assertEquals(error.code, SessionCode.MALFORMED, `${frame} cut to ${length}`);
    }
  }
});

Deno.test("session frames of bytes say where these belong, up to 2^53 - 1", () => {
  for (const offset of [0, 1, 255, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 2 ** 31, 2 ** 53 - 1]) {
    const frame = Uint8Array.of(...new Uint8Array(9).fill(255), 97);
    writeDataHeader(frame, offset);
    assertEquals(frame, hex(`04 ${offset.toString(16).padStart(16, "0")} 61`));
    const bytes = frame.subarray(9);
    assertEquals(decodeFrame(frame) as unknown, { type: FrameType.DATA, offset, bytes });
  }
  const error = assertThrows(
    () => decodeFrame(hex("04 0020000000000000 61")),
    SessionProtocolError,
    "a number in it is above 2^53 - 1",
  );
  assertEquals(error.code, SessionCode.MALFORMED);
});
