/** How the libraries of programming languages write strings to streams. */

import { InvalidMessageError, MessageTooLargeError } from "../../errors.ts";
import { DEFAULT_MAX_MESSAGE_BYTES, type Framing, type FramingOptions } from "../framing.ts";
import { gobUvarint } from "../gob_uvarint.ts";
import { lengthPrefix } from "../length_prefix.ts";
import { varint } from "../varint.ts";
import { adapted } from "./adapted.ts";

const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
const encoder = /* @__PURE__ */ new TextEncoder();
/** How many UTF-16 units become a string at once: more arguments than this may overflow the stack. */
const UNITS = 8192;

/** The text in UTF-16 units, as UTF-8. */
export function utf8Of(units: Uint16Array, what: string, maxBytes: number): Uint8Array {
  let text = "";
  for (let at = 0; at < units.length; at += UNITS) {
    text += String.fromCharCode(...units.subarray(at, at + UNITS));
  }
  if (!text.isWellFormed()) {
    const at = text.search(/\p{Surrogate}/u);
    throw new InvalidMessageError(
      `Cannot receive message as ${what}: unit ${at} is half of a character, which UTF-8 cannot say`,
    );
  }
  const message = encoder.encode(text);
  if (message.length > maxBytes) {
    throw new MessageTooLargeError("receive", message.length, maxBytes, "as UTF-8");
  }
  return message;
}

/** The text of a message in UTF-8. */
export function textOf(message: Uint8Array, what: string): string {
  try {
    return decoder.decode(message);
  } catch (cause) {
    throw new InvalidMessageError(
      `Cannot send message of ${message.length} bytes as ${what}: it is not UTF-8`,
      { cause },
    );
  }
}

/**
 * Java's `DataOutputStream.writeUTF` and `DataInputStream.readUTF`: a length of 2 bytes, big-endian, that
 * counts the bytes that follow, in modified UTF-8. There NUL has two bytes (c0 80), and a character
 * above U+FFFF has six: each half of its UTF-16 has three.
 *
 * Messages are plain UTF-8; the framing converts. The limit is Java's, 65 535 bytes of modified UTF-8;
 * Java throws `UTFDataFormatException` above it. A string that UTF-8 cannot say is refused.
 *
 * @example A face
 * ```ts
 * import { javaUtf } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const frame = javaUtf().encode(new TextEncoder().encode("😀"));
 * assertEquals(frame, new Uint8Array([0, 6, 0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]));
 * ```
 */
export function javaUtf(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = 0xffff } = options;
  return adapted(lengthPrefix({ bytes: 2 }), {
    name: "javaUtf",
    maxBytes: maxMessageBytes,
    growth: 2,
    receive: fromModified,
    send: toModified,
  });
}

/** Only bytes that are the same in both need no conversion. */
function isPlain(message: Uint8Array): boolean {
  return message.every((byte) => byte > 0 && byte < 0x80);
}

function toModified(message: Uint8Array): Uint8Array {
  if (isPlain(message)) return message;
  const text = textOf(message, "Java's UTF");
  const bytes = new Uint8Array(3 * text.length);
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0 && unit < 0x80) bytes[at++] = unit;
    else {
      if (unit >= 0x800) {
        bytes[at++] = 0xe0 | unit >> 12;
        bytes[at++] = 0x80 | unit >> 6 & 0x3f;
      } else bytes[at++] = 0xc0 | unit >> 6;
      bytes[at++] = 0x80 | unit & 0x3f;
    }
  }
  return bytes.subarray(0, at);
}

function fromModified(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (isPlain(bytes)) {
    if (bytes.length <= maxBytes) return bytes;
    throw new MessageTooLargeError("receive", bytes.length, maxBytes);
  }
  const units = new Uint16Array(bytes.length);
  let count = 0;
  for (let at = 0; at < bytes.length; count++) {
    const first = bytes[at];
    const size = first < 0x80 ? 1 : first >> 5 === 0b110 ? 2 : first >> 4 === 0b1110 ? 3 : 0;
    let unit = size === 1 ? first : first & 0xff >> size + 1;
    let isWhole = size > 0;
    for (let i = 1; i < size; i++) {
      const next = bytes[at + i] ?? 0;
      isWhole &&= next >> 6 === 0b10;
      unit = unit << 6 | next & 0x3f;
    }
    if (!isWhole) {
      throw new InvalidMessageError(
        `Cannot receive message of ${bytes.length} bytes as Java's UTF: no character begins with ` +
          `byte ${first} at offset ${at}`,
      );
    }
    units[count] = unit;
    at += size;
  }
  return utf8Of(units.subarray(0, count), "Java's UTF", maxBytes);
}

/**
 * .NET's `BinaryWriter.Write(string)` and `BinaryReader.ReadString`: a varint of up to 5 bytes that counts
 * the bytes that follow, in UTF-8. The limit here is 16 MiB; .NET's is 2 147 483 647 bytes. Mono reads
 * varints that are longer than need be, and so does this framing.
 */
export function dotnetString(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  return adapted(varint(), { name: "dotnetString", maxBytes: maxMessageBytes });
}

/**
 * Go's `encoding/gob`: `gobUvarint`. The first messages of a stream define types, so a reader needs all of
 * them, in order. Go's limit is 1 GiB, above which it stops with “message too big”; the limit here is
 * 16 MiB.
 */
export function gob(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  return adapted(gobUvarint(), { name: "gob", maxBytes: maxMessageBytes });
}
