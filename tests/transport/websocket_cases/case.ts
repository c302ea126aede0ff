/** What a case is: frames that one end sends, and what the other end has to make of them. */

import { concat } from "@std/bytes";
import { hex, utf8 } from "../../support/bytes.ts";
import { BINARY, CLOSE, CONTINUATION, type Frame, type Got, PING, PONG, TEXT } from "./peer.ts";

/** How frames are cut into writes. */
export type Chop = "whole" | "frames" | number;

/** A case, under the number that it has in Autobahn's test suite. */
export interface Case {
  readonly id: string;
  readonly send: readonly Frame[];
  readonly chop: Chop;
  /** The messages and the pongs that come back, each kind in order. */
  readonly expected: readonly Got[];
  /**
   * The codes with which the side under test may close. By default the case closes with 1000 when all
   * has come back, and gets that code back.
   */
  readonly codes: readonly number[] | undefined;
}

/** Rules were broken; text was not UTF-8. */
export const BROKEN = [1002], NO_TEXT = [1007];

/** Makes a case. */
export function one(
  id: string,
  send: readonly Frame[],
  expected: readonly Got[] = [],
  codes?: readonly number[],
  chop: Chop = "whole",
): Case {
  return { id, send, chop, expected, codes };
}

/** A message or one part of it. */
export function text(body: string | Uint8Array, more: Partial<Frame> = {}): Frame {
  return { opcode: TEXT, body: typeof body === "string" ? utf8(body) : body, ...more };
}
export function bytes(body: string | Uint8Array, more: Partial<Frame> = {}): Frame {
  return { opcode: BINARY, body: typeof body === "string" ? hex(body) : body, ...more };
}
export function more(body: string | Uint8Array, isFinal = true): Frame {
  return { ...text(body), opcode: CONTINUATION, isFinal };
}
export function ping(body: string | Uint8Array = "", more: Partial<Frame> = {}): Frame {
  return { ...text(body), opcode: PING, ...more };
}
export function pong(body: string | Uint8Array = "", more: Partial<Frame> = {}): Frame {
  return { ...text(body), opcode: PONG, ...more };
}

/** A Close frame. */
export function close(code: number, reason: string | Uint8Array = ""): Frame {
  return {
    opcode: CLOSE,
    body: concat([Uint8Array.of(code >> 8, code & 255), text(reason).body]),
  };
}

/** What comes back for a message or a ping. */
export function back({ opcode, body }: Frame): Got {
  return [opcode === TEXT ? "text" : opcode === BINARY ? "bytes" : "pong", body];
}

/** A message in parts of so many bytes. */
export function inParts({ opcode, body }: Frame, size: number): Frame[] {
  const count = Math.max(1, Math.ceil(body.length / size));
  return Array.from({ length: count }, (_, i) => ({
    opcode: i === 0 ? opcode : CONTINUATION,
    body: body.subarray(i * size, (i + 1) * size),
    isFinal: i === count - 1,
  }));
}
