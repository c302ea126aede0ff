/** What the first byte of a frame may be (RFC 6455, section 5.2). */

import { ProtocolError } from "../../errors.ts";
import {
  BINARY,
  CLOSE,
  COMPRESSED,
  CONTINUATION,
  CONTROL,
  FINAL,
  OPCODE,
  PONG,
  RESERVED,
} from "./opcodes.ts";

/** Twice what the Autobahn suite sends. The limit stops endless empty fragments. */
const MAX_FRAGMENTS = 131_072;

/**
 * Checks a first byte. `isUnderWay` is whether a fragmented message has no end yet, of which so many
 * fragments have come; `mayCompress`, whether messages may be compressed.
 *
 * @throws {ProtocolError} which says what is wrong.
 */
export function checkFirst(
  first: number,
  isUnderWay: boolean,
  fragments: number,
  mayCompress: boolean,
): void {
  const opcode = first & OPCODE;
  const reserved = first & RESERVED;
  const isMessage = opcode > CONTINUATION && opcode <= BINARY;
  if (reserved !== 0 && !(mayCompress && reserved === COMPRESSED && isMessage)) {
    throw new ProtocolError(
      `Cannot receive frame: its first byte 0x${first.toString(16)} has a reserved bit set, ` +
        `and no extension was agreed upon${mayCompress ? " that sets it there" : ""}`,
    );
  }
  if (opcode > PONG || opcode > BINARY && opcode < CLOSE) {
    throw new ProtocolError(`Cannot receive frame: opcode ${opcode} is reserved`);
  }
  if ((opcode & CONTROL) !== 0) {
    if ((first & FINAL) === 0) {
      throw new ProtocolError(
        `Cannot receive ${opcodeName(first)} frame: a control frame must not be fragmented`,
      );
    }
  } else if (opcode === CONTINUATION) {
    if (!isUnderWay) {
      throw new ProtocolError("Cannot receive fragment: no message is under way");
    }
    if (fragments === MAX_FRAGMENTS) {
      throw new ProtocolError(`Cannot receive message: it has over ${MAX_FRAGMENTS} fragments`);
    }
  } else if (isUnderWay) {
    throw new ProtocolError("Cannot receive message: the fragmented one before it has no end");
  }
}

/** What a control frame is called. */
export function opcodeName(first: number): string {
  return ["Close", "Ping", "Pong"][(first & OPCODE) - CLOSE];
}
