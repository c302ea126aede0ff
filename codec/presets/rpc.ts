/** Framings of remote procedure calls and of robots. */

import { InvalidLengthError, InvalidMessageError } from "../../errors.ts";
import { contentLength } from "../content_length.ts";
import { DEFAULT_MAX_MESSAGE_BYTES, type Framing, type FramingOptions } from "../framing.ts";
import { lengthPrefix } from "../length_prefix.ts";
import { mllp } from "../mllp.ts";
import { canonical } from "../names.ts";
import { adapted } from "./adapted.ts";
import { type Rule, ruled, selfSized } from "./rule.ts";

/**
 * Thrift's `TFramedTransport`: a length of 4 bytes, big-endian, that does not count itself. The limit is
 * that of Thrift's C++ and Java, 16 384 000 bytes, above which they close. Thrift's Python has no
 * limit, and takes a negative length for an empty frame; this framing refuses it.
 */
export function thriftFramed(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = 16_384_000 } = options;
  return adapted(lengthPrefix(), { name: "thriftFramed", maxBytes: maxMessageBytes });
}

/**
 * ROS 1's TCPROS, header and messages: a length of 4 bytes, little-endian, that does not count itself. The
 * limit here is 16 MiB. roscpp closes above 1 000 000 000 bytes; rospy has no limit.
 */
export function ros1(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  const inner = lengthPrefix({ endian: "little" });
  return adapted(inner, { name: "ros1", maxBytes: maxMessageBytes });
}

/** Options of {@linkcode grpcMessage}. */
export interface GrpcMessageOptions extends FramingOptions {
  /**
   * Whether messages begin with the 5 bytes of their header: the flag, and the length, which the
   * encoder writes. Then frames with any flag are messages. Without it, only those with flag 0 are.
   *
   * @default false
   */
  keepHeader?: boolean;
}

const GRPC_HEADER_BYTES = 5;
const GRPC_FLAG: Rule = {
  name: "grpcMessage",
  minHeaderBytes: GRPC_HEADER_BYTES,
  maxHeaderBytes: GRPC_HEADER_BYTES,
  most: 0xffff_ffff,
  header(message) {
    const header = new Uint8Array(GRPC_HEADER_BYTES);
    new DataView(header.buffer).setUint32(1, message.length);
    return header;
  },
  measure(chunk, at, end, size) {
    if (chunk[at] !== 0) {
      throw new InvalidMessageError(
        `Cannot receive message: its flag is ${chunk[at]}, which says that it is compressed or ` +
          "no message",
      );
    }
    if (end - at < GRPC_HEADER_BYTES) return false;
    size.skip = GRPC_HEADER_BYTES;
    size.total = size.skip +
      new DataView(chunk.buffer, chunk.byteOffset + at).getUint32(1);
    return true;
  },
};

/**
 * The messages of gRPC inside the body of an HTTP/2 request or answer: a byte that is 1 if the message is
 * compressed, and a length of 4 bytes, big-endian, that counts what follows. In gRPC-Web the flag
 * 0x80 marks the trailers.
 *
 * Messages have no header, and a flag other than 0 is refused; `keepHeader` is for those who want to
 * see the flag. The limit is that of gRPC's libraries for receiving, 4 MiB, above which a call ends with
 * `RESOURCE_EXHAUSTED`.
 */
export function grpcMessage(options: GrpcMessageOptions = {}): Framing {
  const { keepHeader = false, maxMessageBytes } = options;
  const maxBytes = 4 * 1024 * 1024;
  if (!keepHeader) return ruled(GRPC_FLAG, { maxMessageBytes }, maxBytes);
  return adapted(lengthPrefix({ offset: 1, strip: 0 }), {
    name: canonical("grpcMessage", { keepHeader: true }),
    maxBytes: maxMessageBytes ?? maxBytes + GRPC_HEADER_BYTES,
  });
}

/** C++ refuses a message with more, and so does this. */
const MAX_SEGMENTS = 511;
const CAPNP_TABLE_BYTES = 4 + 4 * MAX_SEGMENTS;

const CAPNP = /* @__PURE__ */ selfSized("capnp", 8, (chunk, at, end) => {
  const view = new DataView(chunk.buffer, chunk.byteOffset + at);
  const segments = view.getUint32(0, true) + 1;
  if (segments > MAX_SEGMENTS) {
    throw new InvalidLengthError(
      `Cannot receive message: it has ${segments} segments, and the limit is ${MAX_SEGMENTS}`,
    );
  }
  const tableBytes = 8 * Math.ceil((4 + 4 * segments) / 8);
  if (end - at < tableBytes) return -1;
  let words = 0;
  for (let i = 0; i < segments; i++) words += view.getUint32(4 + 4 * i, true);
  return tableBytes + 8 * words;
}, CAPNP_TABLE_BYTES);

/**
 * Cap'n Proto's messages in a stream, not packed: the number of segments less one, in 4 bytes,
 * little-endian; the size of each segment in words of 8 bytes, in 4 bytes each; 4 bytes more if
 * that makes the table a multiple of 8; then the segments.
 *
 * A message is the whole, table included; one whose table tells another size is not sent. The limits are
 * those of Cap'n Proto's C++: 511 segments, and 64 MiB (`traversalLimitInWords`).
 */
export function capnp(options: FramingOptions = {}): Framing {
  return ruled(CAPNP, options, 64 * 1024 * 1024);
}

/**
 * Language servers (LSP), debuggers (DAP) and build servers (BSP): `contentLength`, so headers that tell the
 * length in bytes, and JSON in UTF-8. The limit here is 16 MiB; clangd's is 1 GiB.
 */
export function lsp(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  return adapted(contentLength(), { name: "lsp", maxBytes: maxMessageBytes });
}

/**
 * HL7 version 2 over TCP: `mllp`, so a byte 0x0B before a message, and 0x1C and 0x0D behind it. Lines inside
 * end with CR. The limit here is 16 MiB; the protocol has none.
 */
export function hl7(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
  return adapted(mllp(), { name: "hl7", maxBytes: maxMessageBytes });
}
