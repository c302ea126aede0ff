/** Bytes for tests: how they are written down, cut into chunks, sent through a decoder, counted. */

import { concat } from "@std/bytes";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { fromHex } from "../../internal/encoding.ts";
import type { Decoder, Framing } from "../../codec.ts";

/** Bytes from hexadecimal digits; white space is for the reader: `hex("0005 48454c4c4f")`. */
export function hex(digits: string): Uint8Array<ArrayBuffer> {
  return fromHex(digits.replace(/\s+/g, ""));
}

/** The UTF-8 of a text. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Messages as texts, for comparisons that can be read when they fail. */
export function texts(messages: Uint8Array[]): string[] {
  return messages.map((message) => new TextDecoder().decode(message));
}

/** The bytes cut at these positions, as chunks of their own memory; equal positions make empty chunks. */
export function cutAt(bytes: Uint8Array, ...positions: number[]): Uint8Array[] {
  const edges = [0, ...positions.toSorted((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, i) => bytes.slice(edges[i], edge));
}

/** Every way to cut the bytes into two chunks, an empty first or second one included. */
export function everyCut(bytes: Uint8Array): Uint8Array[][] {
  return Array.from({ length: bytes.length + 1 }, (_, at) => cutAt(bytes, at));
}

/** Every way to cut the bytes into three chunks. */
export function everyTwoCuts(bytes: Uint8Array): Uint8Array[][] {
  const ways: Uint8Array[][] = [];
  for (let a = 0; a <= bytes.length; a++) {
    for (let b = a; b <= bytes.length; b++) ways.push(cutAt(bytes, a, b));
  }
  return ways;
}

/** A chunk for every byte. */
export function byteByByte(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

/** All messages of a stream that is sent in these chunks and then ends. */
export function decodeAll(framing: Framing, chunks: Uint8Array[]): Uint8Array[] {
  const messages: Uint8Array[] = [];
  const decoder = framing.decoder();
  for (const chunk of chunks) decoder.decode(chunk, messages);
  return decoder.end(messages);
}

/** What came of a stream: its messages, and the error that ended it, if any. */
export interface Outcome {
  messages: Uint8Array[];
  error?: unknown;
}

/** Like {@linkcode decodeAll}, with the error beside the messages before it. */
export function outcomeOf(decoder: Decoder, chunks: Uint8Array[]): Outcome {
  const messages: Uint8Array[] = [];
  try {
    for (const chunk of chunks) decoder.decode(chunk, messages);
    decoder.end(messages);
    return { messages };
  } catch (error) {
    return { messages, error };
  }
}

/** The frames of these messages, one behind the other. */
export function encodeAll(framing: Framing, messages: Uint8Array[]): Uint8Array {
  return concat(messages.map((message) => framing.encode(message)));
}

/**
 * How many bytes of new arrays `run` asks for with `new Uint8Array(length)`. Views cost nothing
 * here, and nothing is given back, so this is an upper bound of what `run` held at any time, and,
 * since every new array is filled once, a measure of its copying that no slow machine disturbs.
 */
export function allocatedBytes(run: () => void): number {
  let bytes = 0;
  const genuine = globalThis.Uint8Array;
  globalThis.Uint8Array = new Proxy(genuine, {
    construct(target, args, newTarget) {
      if (typeof args[0] === "number") bytes += args[0];
      return Reflect.construct(target, args, newTarget);
    },
  });
  try {
    run();
  } finally {
    globalThis.Uint8Array = genuine;
  }
  return bytes;
}

/** How many bytes stay alive with what `make` gives back, once the rest has been collected. */
export function heldBytes(make: () => unknown): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const inUse = () => {
    collect();
    const { external, heapUsed } = Deno.memoryUsage();
    return external + heapUsed;
  };
  const before = inUse();
  const kept = [make()];
  const held = inUse() - before;
  kept.length = 0; // until here it was in use
  return held;
}
