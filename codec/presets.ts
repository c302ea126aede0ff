/** Framings under the names that they have in other libraries. */

import { checkInteger } from "../internal/check.ts";
import { DEFAULT_MAX_MESSAGE_BYTES, type Framing, type FramingOptions } from "./framing.ts";
import { lengthPrefix } from "./length_prefix.ts";
import { line } from "./line.ts";
import { varint } from "./varint.ts";

export { amqp091, amqp091Frame, kafka, mqtt } from "./presets/brokers.ts";
export {
  bson,
  mysql,
  postgres,
  postgresMessage,
  postgresStartup,
  redis,
  type RedisOptions,
  zookeeper,
} from "./presets/databases.ts";
export {
  chromeNative,
  type ChromeNativeOptions,
  dbus,
  dbusMessage,
  sshAgent,
} from "./presets/desktop.ts";
export { erlang, type ErlangOptions, type ErlangPacket } from "./presets/erlang.ts";
export { journalExport } from "./presets/journal.ts";
export { minecraft } from "./presets/minecraft.ts";
export { bgp, diameter, dns, nineP, smpp, syslog } from "./presets/network.ts";
export { pythonConnection } from "./presets/python.ts";
export { QT_NULL, qtByteArray, qtString } from "./presets/qt.ts";
export {
  capnp,
  grpcMessage,
  type GrpcMessageOptions,
  hl7,
  lsp,
  ros1,
  thriftFramed,
} from "./presets/rpc.ts";
export { dotnetString, gob, javaUtf } from "./presets/strings.ts";
export type { SideOptions } from "./presets/side.ts";
export {
  x11,
  x11Event,
  type X11Options,
  x11Request,
  x11Setup,
  x11SetupReply,
} from "./presets/x11.ts";

/**
 * Erlang's `{packet, 1 | 2 | 4 | line}`. If a message is too long for a length of 1 or 2 bytes, an
 * Erlang sender silently sends a wrong length; this framing refuses the message. `line` does not
 * change any bytes.
 */
export function erlangPacket(packet: 1 | 2 | 4 | "line", options: FramingOptions = {}): Framing {
  if (packet === "line") return line({ ...options, telnet: false });
  if (![1, 2, 4].includes(packet)) {
    throw new RangeError(`Cannot use packet ${packet}: it must be 1, 2, 4 or "line"`);
  }
  return lengthPrefix({ ...options, bytes: packet });
}

/**
 * C#'s `BitConverter.GetBytes(int)` and `BinaryWriter.Write(int)`: int32, little-endian. Such peers
 * would read a length above 2 GiB as negative, but a message of that size does not fit in an array.
 */
export function csharpInt32(options: FramingOptions = {}): Framing {
  return lengthPrefix({ ...options, endian: "little" });
}

/** Java's `DataOutputStream.writeInt(length)`: int32, big-endian. */
export function javaWriteInt(options: FramingOptions = {}): Framing {
  return lengthPrefix(options);
}

/** Twisted's `Int8StringReceiver`, `Int16StringReceiver` and `Int32StringReceiver`. Their default limit is 99 999 bytes. */
export function twistedInt(bits: 8 | 16 | 32, options: FramingOptions = {}): Framing {
  if (![8, 16, 32].includes(bits)) {
    throw new RangeError(`Cannot use bits ${bits}: it must be 8, 16 or 32`);
  }
  return lengthPrefix({ ...options, bytes: bits / 8 as 1 | 2 | 4 });
}

/**
 * tokio-util's `LengthDelimitedCodec` with its defaults: 4 bytes, big-endian. Its default limit is
 * 8 MiB.
 */
export function tokioLengthDelimited(options: FramingOptions = {}): Framing {
  return lengthPrefix(options);
}

/** protobuf's `writeDelimitedTo` and `parseDelimitedFrom`. */
export function protobufDelimited(options: FramingOptions = {}): Framing {
  return varint(options);
}

/** The parameters of Netty's `LengthFieldBasedFrameDecoder`, under Netty's names. */
export interface NettyLengthFieldOptions {
  /**
   * The largest frame, header included, in bytes.
   *
   * @default 16_777_216
   */
  maxFrameLength?: number;
  /**
   * At which byte of the frame the length begins.
   *
   * @default 0
   */
  lengthFieldOffset?: number;
  /**
   * The width of the length, in bytes.
   *
   * @default 4
   */
  lengthFieldLength?: 1 | 2 | 3 | 4 | 8;
  /**
   * The number to add to the length to get the number of bytes that follow it.
   *
   * @default 0
   */
  lengthAdjustment?: number;
  /**
   * How many bytes at the start of the frame are dropped. By default Netty keeps the header.
   *
   * @default 0
   */
  initialBytesToStrip?: number;
}

/**
 * Netty's `LengthFieldBasedFrameDecoder`. If the other end uses `LengthFieldPrepender(4)`, strip 4
 * bytes. If it uses `LengthFieldPrepender(4, true)`, whose length counts itself, also adjust by -4.
 *
 * @throws {TypeError} {RangeError} for options out of range or in conflict.
 *
 * @example The counterpart of `LengthFieldPrepender(2, true)`
 * ```ts
 * import { nettyLengthField } from "@lengthwise/lengthwise/codec";
 * import { assertEquals } from "@std/assert";
 *
 * const framing = nettyLengthField({
 *   lengthFieldLength: 2,
 *   lengthAdjustment: -2,
 *   initialBytesToStrip: 2,
 * });
 * assertEquals(framing.encode(new Uint8Array([7])), new Uint8Array([0, 3, 7]));
 * ```
 */
export function nettyLengthField(options: NettyLengthFieldOptions = {}): Framing {
  const {
    maxFrameLength = DEFAULT_MAX_MESSAGE_BYTES,
    lengthFieldOffset = 0,
    lengthFieldLength = 4,
    lengthAdjustment = 0,
    initialBytesToStrip = 0,
  } = options;
  checkInteger("maxFrameLength", maxFrameLength, 1, Number.MAX_SAFE_INTEGER);
  if (initialBytesToStrip > maxFrameLength) {
    throw new TypeError(
      `Cannot use initialBytesToStrip ${initialBytesToStrip} together with maxFrameLength ` +
        `${maxFrameLength}: no frame is that long`,
    );
  }
  const framing = lengthPrefix({
    bytes: lengthFieldLength,
    offset: lengthFieldOffset,
    adjustment: lengthAdjustment,
    strip: initialBytesToStrip,
  });
  return framing.withLimit(maxFrameLength - initialBytesToStrip);
}
