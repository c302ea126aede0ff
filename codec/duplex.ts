/** Framings that differ by direction. */

import type { Decoder, Framing } from "./framing.ts";
import type { Memory } from "../internal/memory.ts";
import { canonical } from "./names.ts";

/** The two framings of {@linkcode duplex}. */
export interface DuplexOptions {
  /** The framing of what is received. */
  readonly in: Framing;
  /** The framing of what is sent. */
  readonly out: Framing;
}

/**
 * A framing that differs by direction: `in` for what is received, `out` for what is sent. The peer has
 * the same two the other way round. `maxMessageBytes` is that of `in`.
 *
 * @throws {TypeError} if a framing is missing, or is part of a transport.
 *
 * @example Commands in lines, answers with a length
 * ```ts
 * import { duplex, framing, line } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const server = duplex({ in: line(), out: framing("u16be") });
 * assertEquals(server.decoder().decode(new TextEncoder().encode("get\n")).length, 1);
 * assertEquals(server.encode(new Uint8Array([7])), new Uint8Array([0, 1, 7]));
 * ```
 */
export function duplex(framings: DuplexOptions): Framing {
  return namedDuplex(undefined, framings);
}

/** The same under the name of a program. */
export function namedDuplex(name: string | undefined, framings: DuplexOptions): Framing {
  const { in: input, out: output } = framings;
  for (const [side, framing] of Object.entries({ in: input, out: output })) {
    if (typeof framing?.decoder !== "function") {
      throw new TypeError(`Cannot use ${side} ${framing}: it must be a framing`);
    }
    if (framing.isApart || framing.encodeEnd !== undefined) {
      throw new TypeError(
        `Cannot use ${side} ${framing.name}: it has frames that are not messages`,
      );
    }
  }
  return new DuplexFraming(inOf(input), outOf(output), name);
}

/** The framing of what is received. */
export function inOf(framing: Framing): Framing {
  return framing instanceof DuplexFraming ? framing.input : framing;
}

/** The framing of what is sent. */
export function outOf(framing: Framing): Framing {
  return framing instanceof DuplexFraming ? framing.output : framing;
}

class DuplexFraming implements Framing {
  readonly name: string;
  readonly maxMessageBytes: number;
  readonly keepsBoundaries: boolean;
  readonly isSelective: boolean;
  readonly after?: (messages: number) => Framing;

  constructor(
    readonly input: Framing,
    readonly output: Framing,
    readonly givenName: string | undefined,
  ) {
    this.name = givenName ?? canonical("duplex", { in: input.name, out: output.name });
    this.maxMessageBytes = input.maxMessageBytes;
    this.keepsBoundaries = input.keepsBoundaries;
    this.isSelective = Boolean(input.isSelective || output.isSelective);
    if (input.after !== undefined || output.after !== undefined) {
      this.after = (messages) =>
        new DuplexFraming(
          input.after?.(messages) ?? input,
          output.after?.(messages) ?? output,
          givenName,
        );
    }
  }

  withLimit(maxMessageBytes: number): Framing {
    return new DuplexFraming(this.input.withLimit(maxMessageBytes), this.output, this.givenName);
  }

  decoder(memory?: Memory): Decoder {
    return this.input.decoder(memory);
  }

  frameBytes(message: Uint8Array): number {
    return this.output.frameBytes(message);
  }

  encodeInto(message: Uint8Array, target: Uint8Array, offset: number, isText?: boolean): number {
    return this.output.encodeInto(message, target, offset, isText);
  }

  encodeParts(message: Uint8Array, isText?: boolean): Uint8Array[] {
    return this.output.encodeParts(message, isText);
  }

  encodeHeader(message: Uint8Array, isText?: boolean): Uint8Array | undefined {
    return this.output.encodeHeader?.(message, isText);
  }

  encode(message: Uint8Array, isText?: boolean): Uint8Array {
    return this.output.encode(message, isText);
  }
}
