/** The codec to compare with: `length-prefixed-stream`, a pair of Node streams. */

import { Buffer } from "node:buffer";
import { answer, say } from "../subjects/answer.mjs";
import { peer } from "../subjects/peer.mjs";
import { input, perSecond, varintHeader } from "./input.mjs";

const { default: lengthPrefixed } = await peer("length-prefixed-stream", "index.js");

function decode({ size, duration }) {
  const { chunks, messages } = input(size, varintHeader);
  const buffers = chunks.map((chunk) => Buffer.from(chunk.buffer));
  return perSecond({ messages, bytes: messages * size, duration }, async () => {
    const decoder = lengthPrefixed.decode();
    let bytes = 0;
    decoder.on("data", (message) => bytes += message.length);
    await writeAll(decoder, buffers.values());
    return bytes;
  });
}

/** The encoder pushes header and message one after the other, without copying the message. */
function encode({ size, duration }) {
  const message = Buffer.alloc(size, 97);
  const messages = 20_000;
  return perSecond({ messages, bytes: messages * size, duration }, async () => {
    const encoder = lengthPrefixed.encode();
    let bytes = 0;
    encoder.on("data", (part) => bytes += part.length);
    await writeAll(encoder, Array.from({ length: messages }, () => message).values());
    return bytes - messages * varintHeader(size).length;
  });
}

/** Writes without turns of the event loop in between, as long as the stream takes more. */
function writeAll(stream, parts) {
  return new Promise((resolve, reject) => {
    stream.on("end", resolve);
    stream.on("error", reject);
    const more = () => {
      for (const part of parts) {
        if (stream.write(part)) continue;
        stream.once("drain", more);
        return;
      }
      stream.end();
    };
    more();
  });
}

answer({ decode, encode });
say({ ready: true });
