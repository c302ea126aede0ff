/** How Qt's QDataStream writes byte arrays and strings. */

import { InvalidLengthError } from "../../errors.ts";
import { EMPTY, type Framing, type FramingOptions } from "../framing.ts";
import { adapted } from "./adapted.ts";
import { type Rule, ruled } from "./rule.ts";
import { textOf, utf8Of } from "./strings.ts";

/**
 * What `qtByteArray` and `qtString` hand over for a null, which is not the empty message in Qt. It has no
 * bytes; it is told by identity: `message === QT_NULL`. Sending it sends a null.
 */
export const QT_NULL: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

const NULL_LENGTH = 0xffff_ffff;
const NULL_HEADER = /* @__PURE__ */ new Uint8Array([0xff, 0xff, 0xff, 0xff]);
/** Qt 6 writes a length of 8 bytes behind it. */
const EXTENDED_LENGTH = 0xffff_fffe;

/** The rule of both: a length of 4 bytes, big-endian, of which two have a meaning of their own. */
function rule(name: string, unitBytes: number): Rule {
  return {
    name,
    minHeaderBytes: 4,
    maxHeaderBytes: 4,
    most: EXTENDED_LENGTH - unitBytes,
    header(message) {
      if (message === QT_NULL) return NULL_HEADER;
      const header = new Uint8Array(4);
      new DataView(header.buffer).setUint32(0, message.length);
      return header;
    },
    measure(chunk, at, end, size) {
      if (end - at < 4) return false;
      const length = new DataView(chunk.buffer, chunk.byteOffset + at).getUint32(0);
      if (length === EXTENDED_LENGTH) {
        throw new InvalidLengthError(
          "Cannot receive message: its length has 8 bytes, so it is larger than 4 GiB",
        );
      }
      size.skip = 4;
      size.total = length === NULL_LENGTH ? 4 : 4 + length;
      size.empty = length === NULL_LENGTH ? QT_NULL : EMPTY;
      if (size.total % unitBytes !== 0) {
        throw new InvalidLengthError(
          `Cannot receive message: length ${length} is odd, and its characters have 2 bytes`,
        );
      }
      return true;
    },
  };
}

const BYTE_ARRAY = /* @__PURE__ */ rule("qtByteArray", 1);
const STRING = /* @__PURE__ */ rule("qtString", 2);

/**
 * Qt's `QDataStream << QByteArray`: a length of 4 bytes, big-endian, that does not count itself. Null,
 * which is not empty, has the length 0xFFFFFFFF and is {@linkcode QT_NULL} here. The limit here is
 * 16 MiB. Qt reads in steps of 1 MiB, and when the data ends before, it gives back an empty array and
 * sets the status `ReadPastEnd`.
 */
export function qtByteArray(options: FramingOptions = {}): Framing {
  return ruled(BYTE_ARRAY, options);
}

/**
 * Qt's `QDataStream << QString`: a length of 4 bytes, big-endian, that counts the bytes of UTF-16,
 * big-endian, that follow. Null, which is not empty, has the length 0xFFFFFFFF and is
 * {@linkcode QT_NULL} here.
 *
 * Messages are UTF-8; the framing converts. An odd length is refused, as Qt does, and so is half of a
 * character, which UTF-8 cannot say. The limit here is 16 MiB of UTF-8.
 */
export function qtString(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = 2 ** 24 } = options;
  return adapted(ruled(STRING, { maxMessageBytes: STRING.most }), {
    name: "qtString",
    maxBytes: maxMessageBytes,
    growth: 2,
    receive: fromUtf16,
    send: toUtf16,
  });
}

function toUtf16(message: Uint8Array): Uint8Array {
  if (message.length === 0) return message; // Null is told by identity.
  const text = textOf(message, "a QString");
  const bytes = new Uint8Array(2 * text.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i));
  return bytes;
}

function fromUtf16(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.length === 0) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const units = new Uint16Array(bytes.length / 2);
  for (let i = 0; i < units.length; i++) units[i] = view.getUint16(2 * i);
  return utf8Of(units, "a QString", maxBytes);
}
