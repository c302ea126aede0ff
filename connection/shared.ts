/** Messages for many connections. */

import type { Framing } from "../codec.ts";
import type { Format, Sendable } from "../format.ts";
import { notBytes } from "./failures.ts";
import { encodeUtf8 } from "./utf8.ts";

/** Short frames lie side by side: an array for each would cost more than to fill it. */
const BLOCK_BYTES = 16 * 1024;
/** A longer frame has an array of its own. */
const MAX_SHORT_BYTES = 1024;

let block = new Uint8Array(0);
let used = 0;

/**
 * A message that is sent to many connections. Its frame is made once for each framing, not once for
 * each connection. Pass it to `send()` or `offer()` instead of the message. The message must not
 * change any more.
 *
 * @example One message, many connections
 * ```ts
 * import { Connection, Shared } from "@lengthwise/lengthwise/connection";
 * import { memoryPair } from "@lengthwise/lengthwise/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const pairs = Array.from({ length: 3 }, () => memoryPair().map((t) => new Connection(t)));
 * const news = new Shared("news");
 * for (const [near] of pairs) near.offer(news);
 * for (const [_, far] of pairs) {
 *   assertEquals(new TextDecoder().decode(await far.receive()), "news");
 * }
 * await Promise.all(pairs.flat().map((connection) => connection.close()));
 * ```
 */
export class Shared<T = Uint8Array> {
  /** The message. */
  readonly message: Sendable<T>;
  #format: Format<T> | undefined;
  #encoded: Uint8Array | undefined;
  #isText = false;
  #frames = new Map<Framing, Uint8Array>();
  #lastFraming: Framing | undefined;
  #lastFrame: Uint8Array | undefined;

  /** Takes any message that `send()` takes. */
  constructor(message: Sendable<NoInfer<T>>) {
    this.message = message;
  }

  /**
   * The frame for connections of this format and framing.
   *
   * @throws {TypeError} {ProtocolError} if the format or the framing cannot express the message.
   */
  frame(format: Format<T>, framing: Framing): Uint8Array {
    if (framing === this.#lastFraming && format === this.#format) return this.#lastFrame!;
    if (format !== this.#format) this.#encode(format);
    let frame = this.#frames.get(framing);
    if (frame === undefined) {
      frame = encoded(framing, this.#encoded!, this.#isText);
      this.#frames.set(framing, frame);
    }
    this.#lastFraming = framing;
    return this.#lastFrame = frame;
  }

  #encode(format: Format<T>): void {
    const encoded = format.encode(this.message);
    this.#isText = typeof encoded === "string";
    if (typeof encoded !== "string" && !(encoded instanceof Uint8Array)) {
      throw notBytes(encoded);
    }
    this.#encoded = typeof encoded === "string" ? encodeUtf8(encoded) : encoded;
    this.#frames.clear();
    this.#format = format;
  }
}

/** A frame, which does not change any more. */
function encoded(framing: Framing, message: Uint8Array, isText: boolean): Uint8Array {
  const bytes = framing.frameBytes(message);
  if (bytes > MAX_SHORT_BYTES) return framing.encode(message, isText);
  if (used + bytes > block.length) {
    block = new Uint8Array(BLOCK_BYTES);
    used = 0;
  }
  framing.encodeInto(message, block, used, isText);
  return block.subarray(used, used += bytes);
}
