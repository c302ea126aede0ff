/** The codec to compare with: `it-length-prefixed`, generators over iterables of chunks. */

import { answer, say } from "../subjects/answer.mjs";
import { peer } from "../subjects/peer.mjs";
import { input, perSecond, varintHeader } from "./input.mjs";

const lp = await peer("it-length-prefixed", "dist/src/index.js");

/**
 * From an asynchronous source, since no socket is a synchronous one. A message is a list of views;
 * `subarray()` makes it one array, as every message of the others is, and copies only if it has to.
 */
function decode({ size, duration }) {
  const { chunks, messages } = input(size, varintHeader);
  return perSecond({ messages, bytes: messages * size, duration }, async () => {
    let bytes = 0;
    for await (const message of lp.decode(each(chunks))) bytes += message.subarray().length;
    return bytes;
  });
}

async function* each(chunks) {
  yield* chunks;
}

/** To a synchronous sink, which is the fastest that it has. */
function encode({ size, duration }) {
  const message = new Uint8Array(size).fill(97);
  const messages = 20_000;
  const source = Array.from({ length: messages }, () => message);
  return perSecond({ messages, bytes: messages * size, duration }, () => {
    let bytes = 0;
    for (const part of lp.encode(source)) bytes += part.byteLength;
    return bytes - messages * varintHeader(size).length;
  });
}

answer({ decode, encode });
say({ ready: true });
