/**
 * Formats: what a message's bytes mean. Bytes, text, or JSON that any Standard Schema validator
 * has looked at.
 *
 * @module
 */

import type { Framing } from "./codec.ts";
import { InvalidMessageError } from "./errors.ts";
import { checkedBy, type StandardSchema } from "./internal/schema.ts";

export type { SchemaResult, StandardSchema } from "./internal/schema.ts";

/** What may be sent where `T` is received: a string stands for its UTF-8 bytes. */
export type Sendable<T> = T extends Uint8Array ? Uint8Array | string : T;

/** How values become messages and messages become values. */
export interface Format<T> {
  /**
   * A value's message; a string is sent as UTF-8.
   *
   * @throws {TypeError} for a value that the format cannot express.
   */
  encode(value: Sendable<T>): Uint8Array | string;
  /** A decoder for one connection; undefined when messages are handed out as they are. */
  decoder(framing: Framing): FormatDecoder<T> | undefined;
}

/** Turns one connection's messages into values, in order. */
export interface FormatDecoder<T> {
  /**
   * The value of a message, or a promise of it.
   *
   * @throws {InvalidMessageError} for a message that the format does not allow.
   */
  decode(message: Uint8Array): T | Promise<T>;
  /** What is left when the stream has ended, if anything. */
  end(): T | undefined;
}

/** Messages are bytes; strings are sent as UTF-8. The default. */
export function bytes(): Format<Uint8Array> {
  return { encode: (value) => value, decoder: () => undefined };
}

/**
 * Messages are UTF-8 text. Under the framing `none` a character may be cut between two chunks; it
 * is put together again.
 *
 * @param options With `fatal`, malformed UTF-8 is an `InvalidMessageError`; otherwise, by default,
 * each malformed part becomes U+FFFD.
 */
export function text(options: { fatal?: boolean } = {}): Format<string> {
  const { fatal = false } = options;
  return {
    encode: (value) => value,
    decoder({ keepsBoundaries }) {
      const decoder = new TextDecoder("utf-8", { fatal, ignoreBOM: true });
      const decode = (message?: Uint8Array) => {
        try {
          return decoder.decode(message, { stream: !keepsBoundaries && message !== undefined });
        } catch (cause) {
          throw new InvalidMessageError("Cannot decode message: it is not UTF-8", { cause });
        }
      };
      return { decode, end: () => keepsBoundaries ? undefined : decode() || undefined };
    },
  };
}

/**
 * Messages are JSON (RFC 8259). With a schema, each one received is validated, and typed by it; what
 * is sent is not validated.
 *
 * @example Typed by a schema
 * ```ts
 * import { json, type StandardSchema } from "@lengthwise/lengthwise";
 *
 * const point: StandardSchema<{ x: number }> = {
 *   "~standard": {
 *     version: 1,
 *     vendor: "example",
 *     validate: (value) =>
 *       typeof (value as { x?: unknown })?.x === "number"
 *         ? { value: value as { x: number } }
 *         : { issues: [{ message: "x must be a number" }] },
 *   },
 * };
 * const format = json(point); // Format<{ x: number }>
 * ```
 */
export function json<T = unknown>(schema?: StandardSchema<T>): Format<T> {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  return {
    encode(value) {
      const json = JSON.stringify(value);
      if (json === undefined) throw new TypeError(`Cannot send ${typeof value}: it is not JSON`);
      return json;
    },
    decoder: () => ({
      decode(message) {
        let value: unknown;
        try {
          value = JSON.parse(utf8.decode(message));
        } catch (cause) {
          throw new InvalidMessageError("Cannot decode message: it is not JSON", { cause });
        }
        return schema === undefined
          ? value as T
          : checkedBy(schema, value, invalidMessage, (valid) => valid) as T;
      },
      end: () => undefined,
    }),
  };
}

function invalidMessage(issues: string): InvalidMessageError {
  return new InvalidMessageError(`Cannot accept message: ${issues}`);
}
