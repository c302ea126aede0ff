/** Framings of message brokers. */

import { InvalidLengthError, InvalidMessageError } from "../../errors.ts";
import { readVarint, varintEnd } from "../../internal/varint.ts";
import { namedDuplex } from "../duplex.ts";
import { fixed } from "../fixed.ts";
import { DEFAULT_MAX_MESSAGE_BYTES, type Framing, type FramingOptions } from "../framing.ts";
import { lengthPrefix } from "../length_prefix.ts";
import { canonical } from "../names.ts";
import { staged } from "../staged.ts";
import { adapted } from "./adapted.ts";
import { ruled, selfSized } from "./rule.ts";
import { checkSide, givenSide, type SideOptions } from "./side.ts";

const FRAME_END = 0xce;
/** `AMQP`, 0, and the version in 3 bytes. */
const PROTOCOL_HEADER_BYTES = 8;

/**
 * AMQP 0-9-1, from the start: the client's first message is the 8 bytes `AMQP`, 0, 0, 9, 1; all others are
 * {@linkcode amqp091Frame}. RabbitMQ answers other 8 bytes with its own 8 and a reset.
 *
 * @throws {TypeError} for another side.
 */
export function amqp091(options: SideOptions = {}): Framing {
  const { maxMessageBytes } = options;
  const side = checkSide(options);
  const frame = amqp091Frame({ maxMessageBytes });
  const client = staged(fixed(PROTOCOL_HEADER_BYTES), frame);
  return namedDuplex(
    canonical("amqp091", { side: givenSide(side) }),
    side === "client" ? { in: frame, out: client } : { in: client, out: frame },
  );
}

/**
 * The frames of AMQP 0-9-1, in both directions, behind the 8 bytes with which a client begins: a byte
 * for the type, 2 for the channel, a length of 4 bytes, big-endian, the content, and a byte 0xCE. The
 * length counts the content only.
 *
 * A message is the whole frame; the encoder writes the length over its bytes 3 to 6. A frame without
 * 0xCE at its end is refused. The limit is RabbitMQ's, 131 072 bytes; the two ends may agree on less.
 */
export function amqp091Frame(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = 131_072 } = options;
  const inner = lengthPrefix({ offset: 3, adjustment: 1, strip: 0 });
  return adapted(inner, {
    name: "amqp091Frame",
    maxBytes: maxMessageBytes,
    receive: (message) => checkFrameEnd(message, "receive"),
    send: (message) => checkFrameEnd(message, "send"),
  });
}

function checkFrameEnd(message: Uint8Array, verb: "send" | "receive"): Uint8Array {
  const last = message[message.length - 1];
  if (last !== FRAME_END) {
    throw new InvalidMessageError(
      `Cannot ${verb} message of ${message.length} bytes as an AMQP frame: it ends with byte ` +
        `${last} and not with ${FRAME_END}`,
    );
  }
  return message;
}

const MAX_MQTT_HEADER_BYTES = 5;

const MQTT = /* @__PURE__ */ selfSized("mqtt", 2, (chunk, at, end) => {
  const last = Math.min(end, at + MAX_MQTT_HEADER_BYTES);
  const start = varintEnd(chunk, at + 1, last);
  if (start >= 0) return start - at + readVarint(chunk, at + 1, start);
  if (last - at < MAX_MQTT_HEADER_BYTES) return -1;
  throw new InvalidLengthError("Cannot use message: its length has more than 4 bytes");
}, MAX_MQTT_HEADER_BYTES);

/**
 * MQTT's packets, of all versions and in both directions: a byte for the type and its flags, a varint of
 * 1 to 4 bytes, and as many bytes as the varint says. The length counts neither the type nor itself.
 *
 * A message is the whole packet, as MQTT libraries make and read it; one whose length is wrong is not
 * sent. The protocol's limit is 268 435 460 bytes, Mosquitto's too. The limit here is 16 MiB.
 * Mosquitto takes a varint that is longer than need be, and closes when it has a fifth byte.
 */
export function mqtt(options: FramingOptions = {}): Framing {
  return ruled(MQTT, options, DEFAULT_MAX_MESSAGE_BYTES);
}

/**
 * The requests and answers of Kafka: a length of 4 bytes, big-endian, that does not count itself. The
 * limit is the broker's, 104 857 600 bytes (`socket.request.max.bytes`).
 */
export function kafka(options: FramingOptions = {}): Framing {
  const { maxMessageBytes = 104_857_600 } = options;
  return adapted(lengthPrefix(), { name: "kafka", maxBytes: maxMessageBytes });
}
