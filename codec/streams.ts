/** Decoding and encoding over async iterables and web streams. */

import type { Framing } from "./framing.ts";

/**
 * The messages of a stream of chunks, in batches: one array for each chunk that completed at least
 * one message. This is the fastest way to read a stream, because nothing is awaited per message.
 *
 * @throws {ProtocolError} after the messages before the error were handed out.
 */
export async function* decodeBatches(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  framing: Framing,
): AsyncGenerator<Uint8Array[], void, void> {
  const decoder = framing.decoder();
  for await (const chunk of chunks) yield* handOut((messages) => decoder.decode(chunk, messages));
  yield* handOut((messages) => decoder.end(messages));
}

/** Yields the decoded messages; an error comes after the messages before it. */
function* handOut(
  decode: (messages: Uint8Array[]) => void,
): Generator<Uint8Array[], void, void> {
  const messages: Uint8Array[] = [];
  let failure: { error: unknown } | undefined;
  try {
    decode(messages);
  } catch (error) {
    failure = { error };
  }
  if (messages.length > 0) yield messages;
  if (failure !== undefined) throw failure.error;
}

/**
 * The messages of a stream of chunks, one by one. The stream may be a file, standard input, a
 * `fetch` body or a socket.
 *
 * @throws {ProtocolError} after the messages before the error were handed out.
 *
 * @example Read what was framed into a file
 * ```ts
 * import { decode, framing } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const chunks = [new Uint8Array([1, 97, 2]), new Uint8Array([98, 99])];
 * const texts: string[] = [];
 * for await (const message of decode(chunks, framing("u8"))) {
 *   texts.push(new TextDecoder().decode(message));
 * }
 * assertEquals(texts, ["a", "bc"]);
 * ```
 */
export async function* decode(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  framing: Framing,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const batch of decodeBatches(chunks, framing)) yield* batch;
}

/**
 * A web stream that turns chunks into messages, for `pipeThrough()`. An error of the peer reaches
 * the reader after the messages that came before the error.
 */
export class DecoderStream {
  /** Messages out. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Chunks in. */
  readonly writable: WritableStream<Uint8Array>;

  /** Makes both ends for one stream of this framing. */
  constructor(framing: Framing) {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const chunks = readable.getReader();
    const messages = decode(readAll(chunks), framing);
    this.writable = writable;
    // The reader pulls, because a stream that gets an error forgets the messages that are still
    // queued.
    this.readable = new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const next = await messages.next();
          if (next.done) controller.close();
          else controller.enqueue(next.value);
        } catch (error) {
          await chunks.cancel(error);
          throw error;
        }
      },
      cancel: (reason) => chunks.cancel(reason),
    }, { highWaterMark: 0 });
  }
}

/** Chunks until the stream ends. (Not every browser can iterate a stream yet.) */
async function* readAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
}

/** A web stream that turns messages into frames, for `pipeThrough()`. */
export class EncoderStream extends TransformStream<Uint8Array, Uint8Array> {
  /** Frames messages in this framing. */
  constructor(framing: Framing) {
    super({
      transform(message, controller) {
        controller.enqueue(framing.encode(message));
        framing = framing.after?.(1) ?? framing;
      },
    });
  }
}
