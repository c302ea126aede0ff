/**
 * What was received and not yet taken, as it came. The framing may change in the middle of a
 * conversation, and the bytes behind the last message taken are then decoded anew.
 */

import type { Framing } from "../codec.ts";
import { endOfMessages } from "../codec/internal.ts";
import type { Inbox } from "./inbox.ts";
import { joined, piecesOf, type Raw } from "./raw.ts";

/** What was received last. */
export interface Last {
  /** The bytes behind the messages of the inbox. If the decoder failed in them, also its last messages. */
  readonly raw: Raw | undefined;
  /** The messages that `raw` begins with. */
  readonly messages: readonly Uint8Array[];
}

/** An error that waits until a reader has taken the messages before it, and asks for the next one. */
export class HeldError implements Last {
  /** Resolves when the reading may go on, or is over. */
  readonly settled: PromiseWithResolvers<void> = Promise.withResolvers();

  /** `raw` are the bytes of the chunk with the error, and of its messages. */
  constructor(
    readonly error: unknown,
    public raw: Raw | undefined,
    readonly messages: readonly Uint8Array[],
  ) {}

  /** Adds a chunk that has come since. */
  add(chunk: Uint8Array): void {
    if (this.raw !== undefined) this.raw = [...piecesOf(this.raw), chunk];
  }
}

/**
 * All bytes behind the last message that was taken.
 *
 * @param decoded How many messages the decoder has given so far.
 * @param remote The peer, for the error.
 * @throws {TypeError} if they are more than a frame can have, and were not kept.
 */
export function unreadOf(
  inbox: Inbox,
  last: Last,
  framing: Framing,
  decoded: number,
  remote: string,
): Uint8Array {
  const { raws, taken } = inbox.waiting;
  // If messages of the last bytes still wait, these bytes are among the others already.
  const isLastWaiting = raws.length > 0 && last.messages.length > 0;
  const all = isLastWaiting ? [...raws] : [...raws, last.raw];
  const gone = raws.length > 0 ? taken : last.messages;
  if (!all.every((raw) => raw !== undefined)) {
    throw new TypeError(
      `Cannot switch framing of ${remote}: more was received behind the last message than a frame ` +
        `can have`,
    );
  }
  if (gone.length > 0) {
    const before = decoded - inbox.messages - gone.length;
    all[0] = behind(all[0], gone, framing.after?.(before) ?? framing);
  }
  return joined(all.flatMap(piecesOf));
}

/** The bytes behind the messages that `raw` begins with. */
function behind(raw: Raw, taken: readonly Uint8Array[], framing: Framing): Uint8Array {
  let bytes = joined(raw);
  for (; framing.after !== undefined && taken.length > 0; taken = taken.slice(1)) {
    bytes = bytes.subarray(endOfMessages(bytes, 1, framing));
    framing = framing.after(1);
  }
  if (taken.length === 0) return bytes;
  if (!framing.keepsBoundaries) {
    return bytes.subarray(taken.reduce((sum, message) => sum + message.length, 0));
  }
  return bytes.subarray(endOfMessages(bytes, taken.length, framing));
}
