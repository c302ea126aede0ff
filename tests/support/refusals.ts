/** What framings refuse, however the bytes are cut. */

import { assertEquals, assertInstanceOf } from "@std/assert";
import type { Framing, LengthwiseError } from "../../codec.ts";
import { byteByByte, everyCut, outcomeOf } from "./bytes.ts";

/** The same words for a place so many bytes further on. */
export function shifted(words: string, bytes: number): string {
  return words.replace(/byte (\d+)/, (_, at) => `byte ${Number(at) + bytes}`);
}

/** A class of errors. */
// deno-lint-ignore no-explicit-any
type ErrorClass<E> = abstract new (...args: any[]) => E;

/**
 * Asserts that a stream ends with an error of this class and with these words, behind so many messages,
 * wherever it is cut: the same class and the same words.
 */
export function assertRefused<E extends LengthwiseError>(
  framing: Framing,
  stream: Uint8Array,
  Class: ErrorClass<E>,
  words: string,
  messagesBefore = 0,
): void {
  const cuts = stream.length <= 64 ? everyCut(stream) : [];
  for (const chunks of [[stream.slice()], ...cuts, byteByByte(stream)]) {
    const decoder = framing.decoder();
    const { messages, error } = outcomeOf(decoder, chunks);
    assertInstanceOf(error, Class);
    assertEquals(error.message, words);
    assertEquals(messages.length, messagesBefore);
    assertEquals(decoder.pendingBytes, 0);
  }
}
