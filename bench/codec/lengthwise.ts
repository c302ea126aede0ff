/** The codec under test: Lengthwise. Decoding and encoding are synchronous calls of a framing. */

import { type Framing, framing, type FramingText } from "../../codec.ts";
import { answer, say } from "../subjects/answer.mjs";
import { inputOf, perSecond } from "./input.mjs";

interface Run {
  readonly size: number;
  readonly framing: FramingText;
  readonly duration: number;
}

function decode({ size, framing: name, duration }: Run): Promise<number> {
  const wire: Framing = framing(name);
  const { chunks, messages } = inputOf(wire.encode(new Uint8Array(size).fill(97)));
  return perSecond({ messages, bytes: messages * size, duration }, () => {
    const decoder = wire.decoder();
    let bytes = 0;
    for (const chunk of chunks) {
      for (const message of decoder.decode(chunk)) bytes += message.length;
    }
    decoder.end();
    return bytes;
  });
}

/** Into blocks of 64 KiB, side by side, as a connection does; a full block is used again. */
function encode({ size, framing: name, duration }: Run): Promise<number> {
  const wire: Framing = framing(name);
  const message = new Uint8Array(size).fill(97);
  const block = new Uint8Array(64 * 1024);
  const messages = 100_000;
  const headerBytes = wire.encode(message).length - size;
  return perSecond({ messages, bytes: messages * size, duration }, () => {
    let at = 0;
    let frames = 0;
    let headers = 0;
    for (; frames < messages; frames++) {
      const bytes = wire.frameBytes(message);
      headers += bytes - size;
      if (at + bytes > block.length) at = 0;
      at = wire.encodeInto(message, block, at);
    }
    return frames * size + (headers === frames * headerBytes ? 0 : 1);
  });
}

answer({ decode, encode });
say({ ready: true });
