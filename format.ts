/**
 * Formats: what the bytes of a message mean. They are bytes, text, or JSON, which any Standard Schema
 * validator may check.
 *
 * @module
 */

import type { Framing } from "./codec.ts";
import { InvalidMessageError } from "./errors.ts";
import { checkedBy, type StandardSchema } from "./internal/schema.ts";

export type { SchemaResult, StandardSchema } from "./internal/schema.ts";

/** The values that may be sent if `T` is received. A string may be sent in place of its UTF-8 bytes. */
export type Sendable<T> = T extends Uint8Array ? Uint8Array | string : T;

/** How values become messages and messages become values. */
export interface Format<T> {
  /**
   * The message for a value. A string is sent as UTF-8.
   *
   * @throws {TypeError} for a value that the format cannot express.
   */
  encode(value: Sendable<T>): Uint8Array | string;
  /** A decoder for one connection. Undefined if the messages themselves are the values. */
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
  /** Tells that the stream has ended. Gives the last value, if something is left. */
  end(): T | undefined;
}

/** Messages are bytes; strings are sent as UTF-8. This is the default format. */
export function bytes(): Format<Uint8Array> {
  return { encode: (value) => value, decoder: () => undefined };
}

/**
 * Messages are UTF-8 text. With the framing `none`, a character may be cut between two chunks; the
 * format joins its parts again.
 *
 * @param options With `fatal`, malformed UTF-8 is an `InvalidMessageError`. By default each malformed
 * part becomes U+FFFD.
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
 * Messages are JSON (RFC 8259). A schema validates each message that is received, and gives it its
 * type. Messages that are sent are not validated.
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
